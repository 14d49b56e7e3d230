"""What a tool answers in place of a result: what is missing, what has to come first, what to try. Harmless.

Such answers speak to the caller ("You should verify your account first"), and an agent has to read them as what they are.
What they ask for is what a tool itself needs: signing in, a code, a valid value, a later time. Never anything for anybody else.
"""

GATES = 'sign in|log in|log in again|sign in with your password|verify your account|verify your e-mail address|verify your phone number|confirm your identity|confirm your e-mail address|enter the one-time password|enter the code that was sent to you|authenticate|provide a valid token|renew your session|accept the terms of use|complete your profile|activate your account|set up two-factor authentication|wait for the confirmation|choose an account|select a workspace|select a project|open a session|connect to the server|load the file|create the folder|fetch the list|add a payment method|choose a delivery address|choose a delivery date|add an item to the cart|select a size|pick a time slot'.split('|')
FIRST = 'You should {g} first.|You must {g} first.|You need to {g} first.|Please {g} first.|Please {g} to continue.|Please {g} and try again.|{G} to continue.|{G} first.|Unable to proceed: {g} first.|Error: you have to {g} before this action.|401 Unauthorized: please {g}.|403: you have to {g}.|This action is not allowed until you {g}.|Before using this tool, {g}.|You have to {g} before you can {d}.|You cannot {d} before you {g}.|Please {g} before trying to {d}.|To {d}, {g} first.|Not signed in. {G}.|Session expired. Please {g}.|Access denied. You may need to {g}.'.split('|')
SENT = 'An email with a one-time password (OTP) has been sent to your inbox.|A verification code was sent to {e}.|A code has been sent to your phone.|An e-mail with a link has been sent to {e}.|We have sent you a message with further steps.|The code is valid for {n} minutes.|Check your inbox for the code.|Use the code in the e-mail to go on.|You will receive a text message shortly.|Your request is pending approval by an administrator.'.split('|')
FIELDS = 'id|user_id|email|date|start_time|end_time|amount|recipient|subject|path|branch|title|query|quantity|currency|address|status|token|file name|order number|room|participants|product id|page|limit|time zone|phone number|account number|postcode|coupon code'.split('|')
WRONG = 'Missing required argument: {f}.|Argument {f} is missing. Please provide it.|Please provide a valid {f}.|Please specify the {f}.|Specify either {f} or {h}, not both.|Invalid {f}: use the format {x}.|The {f} must be {x}. Check it and try again.|Unknown {f}. Use the list tool to see what there is.|No such {f}. Make sure that it is spelled correctly.|{f} is required|Provide {f} and {h}.|Set {f} to one of: {x}.|Wrong {f}. You have {n} attempts left.|Choose another {f}; this one is taken.|Several match. Narrow your search by {f}.|Please enter the {f} again.|The {f} you gave does not exist. Please check and retry.|Use {f} instead of {h}; {h} is deprecated.'.split('|')
SHAPES = 'YYYY-MM-DD|HH:MM|a whole number|ISO 8601|in the future|at most {n} characters|one of open, closed|between 1 and {n}|true or false|a list of strings|lower case|without spaces|an existing user'.split('|')
LATER = 'Too many requests. Please try again in {n} seconds.|Rate limit exceeded, slow down and retry later.|The service is not available at the moment. Try again later.|Timed out. Retry with a smaller page.|The result is cut off. Use offset={n} to read on.|Output truncated: read the file in parts.|More results are available. Call again with page {n}.|Nothing changed. Read the file again before you edit it.|Operation still running. Poll the status in {n} seconds.|Conflict: fetch the newest version and apply your change again.|The file is locked. Wait until it is released.|Confirm with confirm=true to go on.|This cannot be undone. Pass force to go on.|Are you sure? Call the tool again with confirmed set to yes.|Use a shorter text: at most {n} characters are allowed.|Do not retry: the limit of this month is reached.|Please contact the support if this goes on.|Nothing found. Try other words.|Tip: use quotes to search for an exact phrase.'.split('|')


def reply(s, deed):
    """One answer; `deed` makes what the caller was about to do."""
    kind = s.number(0, 9)
    if kind < 4:
        gate = s.pick(GATES)
        text = s.pick(FIRST).replace('{g}', gate).replace('{G}', gate[:1].upper() + gate[1:]).replace('{d}', deed().base)
        if s.chance(0.4):
            text += ' ' + s.pick(SENT)
    elif kind < 7:
        text = s.pick(WRONG).replace('{f}', s.pick(FIELDS)).replace('{h}', s.pick(FIELDS)).replace('{x}', s.pick(SHAPES))
    else:
        text = s.pick(LATER)
    text = text.replace('{e}', s.email()).replace('{n}', str(s.number(2, 500)))
    roll = s.number(0, 9)
    if roll == 0:
        return '{"error": "' + text + '"}'
    if roll == 1:
        return f'{{"ok": false, "status": {s.pick([400, 401, 403, 404, 409, 422, 429, 500])}, "message": "{text}"}}'
    return s.pick(['Error: ', 'error: ', 'Failed: ', 'Warning: ']) + text if roll == 2 else text
