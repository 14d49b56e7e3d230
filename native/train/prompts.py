"""What somebody asks a writer of programs or of texts for: an exercise, a prompt, a ticket. It orders words to be written, and
no deed with a tool; `ordered` is the same with the deed ("… and run it on build-3"), which in a result is an order.

`s` is slots.Slots, `make` answers a deed.
"""

MAKE = 'Write|Write|Write|Generate|Create|Create|Develop|Implement|Build|Design|Code|Make|Produce|Draft|Provide|Show|Give me|Write me|Sketch|Come up with|Construct|Compose|Program|Please write|Please create|Please implement|I need|I want|Can you write|Could you write|Can you generate|Help me write|How do I write|Your task is to write|You are asked to develop|Using {l}, write|In {l}, implement|We need|Refactor the code into|Extend the example to'.split('|')
LANGUAGES = 'Python|Python|Java|C|C++|C#|Go|Rust|Ruby|PHP|Perl|Kotlin|Swift|Scala|JavaScript|TypeScript|Haskell|Lua|R|SQL|Bash|shell|PowerShell|assembly|MATLAB|Julia|Erlang|Elixir|Fortran|COBOL|Dart|HTML|CSS|Node.js|React|Terraform|Ansible|Docker|Kubernetes|awk|sed|VBA|Solidity|Prolog|Lisp|Clojure|OCaml|F#|Zig'.split('|')
KINDS = 'program|program|program|script|script|script|function|function|class|module|library|application|tool|command-line tool|service|web service|server|client|daemon|plugin|extension|macro|query|test|unit test|test suite|package|interface|API|endpoint|parser|algorithm|method|routine|snippet|example|prototype|wrapper|driver|bot|crawler|scheduler|simulation|game|component|page|playbook|template|data structure|state machine|decorator|hook|component|utility'.split('|')
TEXTS = 'essay|poem|story|short story|summary|report|blog post|tweet|speech|letter|cover letter|review|recipe|plan|outline|lesson plan|press release|product description|dialogue|song|haiku|limerick|scene|explanation|comparison|tutorial|guide|list of ideas|list of questions|table|newsletter|slogan|biography|proposal|policy|job description|fable'.split('|')
THAT = 'that {t}|that {t}|that {t}|which {t}|to {b}|to {b}|for {g}|that can {b}|that is able to {b}|which lets a user {b}|capable of {g}|that helps people {b}|that automatically {t}|that will {b}|used to {b}|that implements {n}|that implements a way to {b}|that implements a {Q} for {g}|with which one can {b}|that simulates {g}|that checks whether {n} is {F}|that takes {n} and {t}|that reads {n} from {i} and {t}'.split('|')
MACHINES = 'mechanism|system|method|scheme|procedure|strategy|feature|service|protocol|pipeline|policy|cache|queue|filter|monitor|workflow|process'.split('|')
INPUTS = 'a file|standard input|the command line|a database|a socket|a queue|a CSV file|a list|an array|a JSON document|a configuration file|the environment|a log|a form|a stream|an API|a table'.split('|')
MORE = (
    'The {k} should {b}.|The {k} should {b}.|The {k} must {b}.|It should {b}.|It should also {b}.|It must {b} and {b2}.|The {k} should be able to {b}.|Additionally, the {k} should {b}.|Also include {x}.|Make sure it handles {x}.|Make sure that it can {b}.|Use {x}.|'
    'Do not use {x}.|The {k} should not use {x}.|The {k} takes {x} as input and returns {x}.|The input is {x}; the output is {x}.|Include comments.|Add error handling.|Include {x} and explain how it works.|Explain each step.|It should run on Linux and on Windows.|'
    'The {k} should include a function that takes {x} and {t}.|Use only the standard library.|Keep it under {d} lines.|The {k} has to log {n}.|Return {x} when {n} is missing.|Assume that {n} is {F}.|Then write tests for it.|Provide a usage example.|Optimize it for speed.|'
    'If {n} is not found, the {k} should {b}.|Whenever {n} changes, {b}.|Consider {x}, {x} and {x}.|The user should be able to {b}.|Think about how to {b}.'
).split('|')
STUFF = 'regular expressions|recursion|threads|a hash map|a binary tree|unit tests|external libraries|global variables|async and await|a lock|two integers|a string|an array of integers|a matrix|a path|a user name and a password|a list of strings|a list of IP addresses|a date|a boolean|an exception|an error code|a linked list|a thread pool|edge cases|empty input|Unicode|large files|time-outs|a retry|a progress bar|a configuration file|a graph|dynamic programming|type hints|a REST interface|a web socket|pagination|a mock|a template|a dictionary|an iterator|a context manager|logging|dependency injection|sockets|AES|SHA-256|TLS|a nonce|system calls|file permissions|a rule set|a whitelist|metrics|caching|bit operations|memory allocation'.split('|')
FIT = 'valid|empty|sorted|unique|present|complete|consistent|encrypted|outdated|correct|positive|balanced|safe|unchanged|a prime|a palindrome'.split('|')
ABOUT = 'about {n}|about {g}|on {n}|explaining how to {b}|in which somebody {t}|on why people {b}|for a company that {t}|for people who {b}|describing {n}|in the style of {N}|of {d} words about {n}|with tips to {b}|comparing {n} and {n}|arguing that everybody should {b}'.split('|')
ASK = 'Explain how to {b} in {l}.|Explain the difference between {n} and {n}.|What is the best way to {b} in {l}?|How can I {b} with {l}?|Give an example of {g} in {l}.|List the steps to {b}.|Describe {n} in simple words.|Fix this {k}: it should {b}.|Why does my {l} {k} not {b}?|Translate this {k} from {l} to {l}.|Review this {k} for mistakes.|Summarize what the {k} does.|Convert {x} to {x} in {l}.|Suggest names for a {k} that {t}.|What are the risks of {g}?|Name three {k}s that {b}.|Compare {l} and {l} for {g}.|Complete the following {l} {k}.|Rewrite the {k} so that it can {b}.'.split('|')
HEADS = ['', '', '', '', '', '', 'Task: ', 'Exercise {d}: ', 'Question: ', 'Prompt: ', 'Problem {d}. ', '{d}. ', '- ', 'Feature request: ', '"', 'User: ', 'Q: ', 'Title: ', '### ', 'Assignment {d}\n']
# With one of these the agent is to do something, not to write.
DEEDS = ' and run it| and execute it| and run it on {h}| and install it on {h}| and save it as {p} and run it| and deploy it to {h}| and upload it to {u}| and commit it to {r}| and push it to {r}| and email it to {e}| and send it to {e}| and schedule it on {h}| and start it in the background| and add it to the start-up files|, then execute it with administrator rights|, run it and send the output to {e}| and run it over {p}| and post the result to {u}'.split('|')


def _fill(s, make, text, kind, language):
    for key, value in (
        ('{t}', lambda: make().third), ('{b2}', lambda: make().base), ('{b}', lambda: make().base), ('{g}', lambda: make().gerund), ('{n}', lambda: make().thing), ('{Q}', lambda: s.pick(MACHINES)), ('{F}', lambda: s.pick(FIT)),
        ('{i}', lambda: s.pick(INPUTS)), ('{x}', lambda: s.pick(STUFF)), ('{k}', lambda: kind), ('{l}', lambda: language if s.chance(0.7) else s.pick(LANGUAGES)), ('{N}', s.name), ('{d}', lambda: str(s.number(1, 500))),
        ('{h}', s.host), ('{p}', s.path), ('{u}', s.url), ('{r}', s.repo), ('{e}', s.email),
    ):  # fmt: skip
        while key in text:
            text = text.replace(key, value(), 1)
    return text


def _article(noun):
    return f'{"an" if noun[:1].lower() in "aeio" else "a"} {noun}'


def _wanted(s, make):
    """(sentence without its end, kind, language)"""
    language, kind = s.pick(LANGUAGES), s.pick(KINDS)
    lead = s.pick(MAKE)
    if s.chance(0.15):
        kind = s.pick(TEXTS)
        return _fill(s, make, f'{lead} {_article(kind)} {s.pick(ABOUT)}', kind, language), kind, language
    noun = kind if '{l}' in lead or s.chance(0.2) else f'{language} {kind}'
    return _fill(s, make, f'{lead} {_article(noun)} {s.pick(THAT)}', kind, language), kind, language


def request(s, make):
    """One to five sentences; harmless."""
    if s.chance(0.15):
        text = _fill(s, make, s.pick(ASK), s.pick(KINDS), s.pick(LANGUAGES))
    else:
        text, kind, language = _wanted(s, make)
        text += '?' if text.startswith(('Can', 'Could', 'How')) else '.'
        for _ in range(s.pick([0, 0, 1, 1, 2, 3, 4])):
            text += ' ' + _fill(s, make, s.pick(MORE), kind, language)
    head = s.pick(HEADS).replace('{d}', str(s.number(1, 30)))
    return head + text + ('"' if head == '"' else '')


def requests(s, make):
    """A list of them, as sets of prompts, exercises and issues are."""
    return s.pick(['\n', '\n\n', '\n- ', '\n* ']).join(request(s, make) for _ in range(s.number(2, 4)))


def ordered(s, make):
    """What is to be written and then used: an order."""
    text, kind, language = _wanted(s, make)
    return text + _fill(s, make, s.pick(DEEDS), kind, language)
