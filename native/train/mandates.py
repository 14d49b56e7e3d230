"""Deeds in the language of offices: a verb or two, what they are done to, whose it is, and why.

"Review and adjust the irrigation quotas of plot 2214, ensuring that they are fair and documented": no address, no amount,
nothing that sounds like harm. In a result they are orders like any others, and reports like any others too (reports.py).
"""

from wordnet import gerund, past, third

VERBS = 'access|adjust|administer|allocate|alter|amend|analyze|approve|arrange|assess|assign|audit|authorize|calibrate|change|check|classify|close|collect|combine|compare|compile|complete|conduct|configure|confirm|consolidate|convert|coordinate|correct|create|cut|deactivate|decline|delay|delegate|deliver|deploy|determine|direct|disable|discard|disclose|distribute|divert|document|downgrade|draft|enable|enforce|enlarge|escalate|establish|estimate|evaluate|examine|exclude|expand|expedite|export|extend|extract|finalize|flag|follow up on|forward|gather|grant|halt|hand over|handle|identify|implement|import|include|increase|inspect|install|integrate|introduce|investigate|issue|launch|limit|list|lower|maintain|manage|mask|match|measure|merge|modify|monitor|move|negotiate|notify|observe|obtain|offer|omit|open|optimize|organize|overrule|oversee|pause|perform|plan|postpone|prepare|preserve|prioritize|process|propose|protect|provide|publish|purge|raise|reassign|rebuild|recalculate|reclassify|recommend|reconcile|record|redirect|reduce|refine|register|reject|release|relocate|remove|rename|renew|reorganize|replace|report|request|reroute|reschedule|reset|resolve|restore|restrict|retain|retire|retrieve|review|revise|rotate|route|run|sample|schedule|screen|secure|select|separate|set up|share|shift|shorten|shut down|sign off|simplify|split|stop|store|streamline|submit|substitute|summarize|supervise|supply|suspend|terminate|test|track|transfer|translate|update|upgrade|validate|verify|waive|withdraw|withhold|write off'.split('|')
LIGHT = 'carry out|conduct|perform|complete|run|do|initiate|begin|start|schedule|arrange|undertake'.split('|')
EVENTS = 'review|audit|check|inspection|assessment|analysis|evaluation|inventory|survey|search|scan|simulation|test|drill|update|upgrade|rollover|migration|clean-up|comparison|count|transfer|handover|shutdown|restart|maintenance|calibration|investigation|interview|follow-up|sweep|reconciliation|recount|backup|rehearsal'.split('|')
ENSURE = 'make sure that|see to it that|ensure that|ensure|guarantee that|verify that|check that|confirm that'.split('|')
FIELDS = 'irrigation|harvest|livestock|seed|soil|warehouse|freight|customs|fleet|cargo|container|harbour|rail|tram|signal|airport|ferry|turbine|substation|grid|boiler|pipeline|reactor|meter|water|sewage|waste|recycling|forestry|fishery|quarry|mine|furnace|kiln|assembly|paint shop|spare part|tooling|laboratory|sample|vaccine|ward|ambulance|clinic|pharmacy|dental|nursing|therapy|school|library|kindergarten|apprentice|alumni|tuition|examination|museum|archive|exhibition|theatre|orchestra|stadium|league|ticketing|hotel|guest|catering|kitchen|menu|brewery|bakery|dairy|insurance|pension|claims|mortgage|leasing|treasury|payroll|expense|procurement|supplier|vendor|tender|contract|licence|patent|trademark|grant|donor|charity|membership|parish|council|zoning|building permit|land registry|election|census|passport office|border|police|fire brigade|rescue|weather|tide|satellite|antenna|telescope|radio|newsroom|subscription|advertising|campaign|store|shelf|checkout|loyalty|returns|e-commerce|marketplace|pricing|inventory|order|delivery|courier|parcel|call centre|complaints|recruiting|onboarding|training|shift|vacation|badge|visitor|parking|elevator|heating|lighting|alarm|camera|tenant|lease|estate|network|router|firewall|database|backup|mailbox|directory|login|certificate|cluster|queue|build|release|incident|ledger|portfolio|settlement|trading|credit|fraud|tax|customer|client|patient|student|employee|member|passenger|driver|resident|citizen|researcher|author|partner|investor|shareholder|player'.split('|')
HEADS = 'access|accounts|adjustments|agreements|alerts|allocations|applications|approvals|assessments|assets|assignments|audits|balances|benefits|bookings|budget|calculations|capacity|cases|certificates|charges|checks|claims|classification|commands|components|conditions|configuration|consents|content|contracts|controls|correspondence|credentials|data|decisions|deliveries|deposits|diagnosis|documents|entries|equipment|estimates|evaluations|evidence|exemptions|fees|figures|files|findings|forecasts|forms|funds|grades|guidelines|history|identities|information|inspections|instructions|inventory|invoices|keys|levels|limits|listings|logs|maps|materials|measurements|metrics|models|notes|notices|notifications|orders|outcomes|parameters|payments|performance|permissions|permits|plans|policies|prices|priorities|procedures|processes|products|profiles|programme|projects|protocols|quotas|ratings|readings|receipts|recommendations|records|references|refunds|registrations|reports|requests|requirements|reserves|resources|responses|results|reviews|rights|risks|roles|routes|rules|samples|savings|schedules|scores|securities|settings|shifts|shipments|specifications|staff|standards|statements|statistics|status|stock|submissions|systems|targets|tariffs|terms|thresholds|tools|traffic|transactions|transfers|transport|treatments|updates|values|visits|workflow|workloads'.split('|')
KINDS = 'case|client|company|account|project|plot|site|unit|machine|server|system|line|ward|patient|student|member|guest|tenant|vendor|supplier|store|branch|route|vehicle|vessel|flight|shipment|container|contract|policy|claim|order|invoice|batch|sample|lot|course|class|conference|journal|grant|permit|licence|property|building|room|floor|zone|cluster|node|database|ticket|request|file|record|employee|applicant|officer|investor|portfolio|fund|partner|department|team|component|device|sensor|station|channel|campaign|event'.split('|')
QUALITIES = 'accuracy|authenticity|availability|balance|clarity|cleanliness|comfort|compliance|confidentiality|consistency|continuity|cost control|coverage|customer satisfaction|data quality|efficiency|equity|fair pricing|fairness|flexibility|growth|hygiene|impartiality|integrity|legal certainty|originality|performance|privacy|productivity|public trust|punctuality|quality|readiness|reliability|resilience|revenue|safety|security|stability|sustainability|timeliness|traceability|transparency|uptime|visibility|well-being'.split('|')
FIT = 'accurate|appropriate|authentic|available|balanced|clean|complete|compliant|confidential|consistent|correct|current|documented|fair|genuine|justified|legible|necessary|original|protected|reliable|safe|secure|stable|traceable|transparent|up to date|valid|well documented|within limits|approved|aligned with the plan|recorded as routine|ready on time|free of errors|stored safely|properly configured|properly assembled|treated equally'.split('|')
WHEN = 'the next maintenance window|peak hours|the busy season|the migration|the night shift|the review period|scheduled downtime|the transition|the quarter|critical phases|the trial|holidays|the sale'.split('|')
CAUSE = 'a routine check|an internal audit|a training exercise|the annual review|a pilot|a drill|quality management|a test of the process|ongoing maintenance|case management|a wider reform|cost reduction|further research|scenario planning|early feedback|a comparison'.split('|')
SCOPE = 'particularly|especially|focusing on|including|starting with|with a focus on|paying attention to|above all|specifically for|except for'.split('|')
QUIETLY = 'discreetly|quietly|without notice|without further approval|thoroughly|carefully|promptly|in full|in advance|manually|automatically|securely|temporarily|permanently'.split('|')
QUALIFIERS = 'all|all|the|the|the|the|the|the|any|every|recent|new|current|existing|relevant|sensitive|confidential|complete|additional|alternative|outstanding|detailed|critical|high-value|legitimate|academic|corporate|financial|medical|legal|regional|seasonal|popular|preliminary|potential|different|several|some|our|'.split('|')


def compound(s, words):
    field = s.pick(FIELDS) if s.chance(0.7) or not words else s.pick(words.things)
    roll = s.number(0, 9)
    if roll < 7:
        return f'{field} {s.pick(HEADS)}'
    if roll == 7:
        return f'{field} {s.pick(FIELDS)} {s.pick(HEADS)}'
    return s.pick(HEADS) if roll == 8 or not words else f'{s.pick(words.adjectives)} {s.pick(HEADS)}'


def thing(s, words):
    text = f'{s.pick(QUALIFIERS)} {compound(s, words)}'.strip()
    if s.chance(0.15):
        text += f' {s.pick(["and", "and", "or"])} {s.pick([s.pick(HEADS), compound(s, words)])}'
    return text


def number(s):
    return s.pick([lambda: s.digits(s.number(3, 8)), lambda: s.pick('ABCDEFGHKLMPRSTVX') + s.digits(s.number(3, 8)), lambda: s.order(), lambda: s.token(5).upper()])()  # fmt: skip


OWNERS = '{k} {i}|{k} ID {i}|{k} ID {i}|{k} ID {i}|{k} no. {i}|the {k} with the ID {i}|{N} (ID {i})|{N} ({k} {i})|{k} #{i}|{k} "{x}_{i}"|the {k} in {C}|{k} {X} (ID {i})|{k} ID {i} and {K} ID {I}|{K} {x} on {k} ID {i}|{N}'.split('|')


def owner(s):
    text = s.pick(OWNERS)
    for key, make in (('{k}', lambda: s.pick(KINDS)), ('{K}', lambda: s.pick(KINDS)), ('{i}', lambda: number(s)), ('{I}', lambda: number(s)), ('{N}', s.name), ('{x}', s.word), ('{X}', lambda: s.word().title()), ('{C}', s.city)):  # fmt: skip
        if key in text:
            text = text.replace(key, make())
    return text


REASONS = ' to {v} {w}| to {v} {w}| in order to {v} {w}|, ensuring {p}|, ensuring that they are {f}|, ensuring it is {f}|, ensuring they are {f}| so that {c} stay {f}|, {s} {t}|, {s} {o} during {W}| as part of {C}| for {C}| during {W}| in line with {t}| according to {t}| for {p}| {q}| to {V} {t}| for {F} purposes| and {V} {t}'.split('|')
AIMS = 'ensure|ensure|ensure|improve|maintain|support|enhance|facilitate|protect|verify|increase|promote|guarantee|uphold|demonstrate|prevent|avoid|test|determine'.split('|')


def both(s, make):
    return make() + (f' {s.pick(["and", "and", "or"])} {make()}' if s.chance(0.4) else '')


def why(s, words):
    text = s.pick(REASONS)
    quality = lambda: s.pick(QUALITIES) if s.chance(0.75) or not words else s.pick(words.nouns['cognition'])
    for key, make in (
        ('{w}', lambda: s.pick(['{p}', '{p}', '{t}', '{p} of {t}', 'proper {F} planning'])), ('{p}', lambda: both(s, quality)), ('{f}', lambda: both(s, lambda: s.pick(FIT))), ('{t}', lambda: thing(s, words)),
        ('{c}', lambda: compound(s, words)), ('{o}', lambda: owner(s)), ('{v}', lambda: s.pick(AIMS)), ('{V}', lambda: s.pick(VERBS)), ('{s}', lambda: s.pick(SCOPE)), ('{W}', lambda: s.pick(WHEN)), ('{C}', lambda: s.pick(CAUSE)),
        ('{q}', lambda: s.pick(QUIETLY)), ('{F}', lambda: s.pick(FIELDS)),
    ):  # fmt: skip
        if key in text:
            text = text.replace(key, make())
    return text


def mandate(s, words):
    """(base, past, third, gerund, thing) of a deed."""
    roll, noun = s.number(0, 11), thing(s, words)
    if roll < 7:
        verbs = [s.pick(VERBS)]
        if s.chance(0.3):
            verbs.append(s.pick(VERBS))
        rest = ' ' + noun
    elif roll < 9:
        verbs = [s.pick(LIGHT)]
        kind = f'{s.pick(["", "", "thorough ", "full ", "quick ", "detailed ", "unannounced ", "random "])}{s.pick([s.pick(FIELDS) + " ", "", ""])}{s.pick(EVENTS)}'
        rest = f' {"an" if kind[:1] in "aeiou" else "a"} {kind} of {noun}'
    elif roll < 11:
        verbs = [s.pick(ENSURE)]
        rest = f' {noun} {s.pick(["are", "are", "remain", "stay"])} {s.pick(FIT)}' if verbs[0] != 'ensure' else f' the {s.pick(QUALITIES)} of {noun}'
    else:
        verbs = [s.pick(['provide', 'supply', 'give', 'assist', 'support', 'notify', 'inform', 'advise'])]
        rest = f' {owner(s)} {s.pick(["with", "with", "about", "regarding"])} {noun}'
    if roll < 11 and s.chance(0.6):
        rest += f' {s.pick(["of", "of", "for", "for", "in", "on", "from", "at"])} {owner(s)}'
    for _ in range(s.pick([0, 1, 1, 1, 2])):
        rest += why(s, words)
    form = lambda make: ' and '.join(make(v) for v in verbs) + rest
    return form(str), form(past), form(third), form(gerund), noun
