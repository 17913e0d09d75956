"""Words that keep an answer from being final: doubt, a no inside a yes, a yes inside a no.

Whatever the bank or a gateway in between says, the money may have moved if it mentions a timeout, a
duplicate or an error of its own, or has only accepted the request (facts: NCBA 4, 6). Words are
compared whole and case-insensitively, however they are joined: ``Request timeout``,
``GATEWAY_TIMEOUT``, ``RequestTimedOut``.
"""

from __future__ import annotations

import re

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JOINT = re.compile(r"[^0-9a-z.']+|(?<![0-9])\.|\.(?![0-9])")


def normalised(text: str) -> str:
    """Lower case, with one blank between words; dots stay only inside numbers."""
    return " ".join(_JOINT.sub(" ", _HUMP.sub(" ", text).lower()).split())


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b")


TIME_OUT = _words(
    r"\w*time(?:d|s)?outs?|tim(?:e|ed|es|ing) outs?|deadline exceeded|ran out of time"
    r"|time limit|limit of time"
)
_DOUBT = _words(
    # In progress.
    r"in ?process|in ?progress|in ?flight|still processing|under process(?:ing)?"
    r"|in (?:the )?queue|ongoing|under ?way|in limbo|(?:please|kindly) wait"
    r"|being (?!cancel|declin|reject)\w+ed"
    r"|processing (?:of )?(?:the |your |a )?(?:request|transaction|payment)|pending|queued"
    # Duplicate.
    r"|duplicat\w*|dup"
    r"|already (?:been )?(?:exists?|in|paid|done|sent|there"
    r"|(?!closed|blocked|locked|suspended|disabled|expired|deactivated|registered)\w+ed)"
    r"|(?<!no )(?<!such )(?:transaction|reference|request|payment|purchase|record)(?: \w+){0,3}?"
    r" (?<!not )(?<!n't )exists?|same (?:id|reference|key)|another request"
    r"|(?:reference|request|number|id)(?: \w+){0,3}? (?:was|been|already|is)"
    r" (?:used|taken|seen|consumed)"
    r"|re ?used|unique"
    r"|repeat\w* (?:\w+ )?(?:transaction|reference|request|payment|purchase|order)"
    # An error unrelated to the request.
    r"|(?:internal|system|server|unexpected|unknown|technical|remote|backend|network|connection"
    r"|communication|gateway|unhandled) ?(?:(?:internal|server|system|service) ?)?"
    r"(?:errors?|fault|failure|exception|response|problem|issue)"
    r"|errors? (?:has |have |had )?occurr?ed|(?<!timeout )\w*exceptions?|unhandled|malfunction\w*"
    r"|object reference|connectivity"
    r"|(?:host|server|switch|core|backend|link|t24)(?: is)? (?:unreachable|offline|down)"
    r"|unable to reach (?:the )?(?:host|server|switch|core|bank)|service offline|delay\w*"
    r"|something went wrong|remote response|upstream|bad gateway"
    r"|(?:http|status|error|code|gateway|returned)(?: (?:status|error|code)){0,3}"
    r" (?:408|409|425|429|499|5\d\d)(?!\.)"
    r"|no (?:response|reply|answer|confirmation|callback|ack\w*)|no route"
    r"|(?:not|\w+n't) (?:respond|reply|answer|hear)\w*"
    r"|took too long|(?:response|reply|answer|confirmation|callback)(?: \w+){0,2}? not"
    r"|(?:get|receive|obtain|fetch|read|await)\w* (?:an? |any |the )?(?:valid )?"
    r"(?:response|reply|answer|confirmation|callback)"
    r"|unsuccessful|unable to determine|broken pipe"
    r"|(?:connection|socket|session|link|response|reply|communication|network)(?: was| is)?"
    r" (?:reset|closed|refused|aborted|lost|dropped|down|unreachable)"
    r"|lost (?:connection|contact)|undelivered"
    r"|(?:temporar\w+|service|currently) (?:is )?(?:un|not )available|unavailable|maintenance"
    # Uncertain, or not yet known.
    r"|may ?be|might|possibl[ey]|probably|presum\w+|not sure|unsure|unclear"
    r"|(?:may|could) have (?:been )?\w+ed"
    r"|(?:status|outcome|result)(?: \w+)? cannot|(?:determine|establish)"
    r" (?:the )?(?:\w+ )?(?:status|outcome|result|state)"
    r"|(?:unknown|unclear|uncertain) (?:\w+ )?(?:status|state|outcome|result)"
    r"|(?:status|state|outcome|result)(?: \w+)? (?:unknown|unclear|uncertain|not known)"
    r"|reconcil\w*|check (?:the )?(?:\w+ )?status|undetermined|indeterminate|unconfirmed"
    r"|confirm cancell?ed"
    r"|cancel(?:lation)? (?:requested|attempted|failed|not)"
    r"|(?:to be|not(?: yet| been| be){0,3}|never|cannot(?: be)?|\w+n't(?: be)?) confirm\w*"
    # Rate limited.
    r"|rate limit\w*|too many|too frequent|quota\w*|throttl\w*|spike arrest|overload\w*"
    r"|(?:api|requests?|calls?|quer(?:y|ies)|connections?|concurren\w+|tps|throughput)"
    r" (?:rate |count )?limit\w*|per (?:second|sec|minute)|slow down|too fast"
    r"|(?:tps|calls?|requests?) (?:exceeded|reached)"
    r"|limit\w* (?:of|on|for) (?:\w+ ){0,2}(?:api|requests?|calls?|queries|connections?)"
    # Retry later.
    r"|(?:re ?|please )?try (?:again|later)|re ?try\w*|resubmit|again later|later"
    r"|(?:locked|held|in use|used) by another"
    # A negated no.
    r"|(?:not|never|cannot|\w+n't)(?: be| been| yet){0,3}"
    r" (?:cancel\w*|declin\w*|reject\w*|revers\w*|fail(?:ed|ure)?|insufficient|locked|expired"
    r"|invalid)"
)
# The request was accepted, with nothing about its outcome.
_TAKEN = _words(
    r"accepted|submitted|initiated|forwarded|relayed|dispatched|captured|handed over"
    r"|delivered to|pushed|scheduled|acknowledged"
    r"|logged(?! (?:in|out|on|off))|received(?! (?:an? |the )?(?:invalid|wrong|bad|unexpected))"
    r"|processing(?! (?:fail\w*|err\w*|fees?|charges?|limits?))|await\w*|waiting|on hold|shortly"
    r"|sent (?:to|for)|(?:prompt|push|notification|request|transaction|payment|order)"
    r" (?:was |is |has been )?(?:sent|delivered)"
    r"|for (?:\w+ )?(?:authori[sz]ation|approval|review)|(?:under|manual) (?:review|investigation)"
)
# What may stand between a "not" and its word without negating another one: "not yet fully paid".
_NOT = (
    r"(?:(?:not|never|non|un|cannot|\w+n't|unable to|fail\w* to)"
    r"(?: (?:be|been|being|yet|get|have|has|all|\w+ly)){0,3}"
    r"|no(?: \w+)?(?: (?:was|were|has been|have been|could be))?)"
)
_NOT_TAKEN = _words(  # "could not be initiated", "invalid value submitted"; money received is paid
    rf"{_NOT} (?:accepted|submitted|initiated|forwarded|scheduled|acknowledged|logged|received"
    r"|sent)"
    r"|(?:invalid|wrong|bad|incorrect|missing|unknown)(?: \w+)?"
    r" (?:accepted|submitted|initiated|received|sent)"
    r"|(?:payment|money|funds|amount|kes)"
    r"(?: (?:has|have|was|were|been|of|kes|[0-9.]+)){0,6} received"
)
_SUCCESS = (
    r"(?:success\w*|succeeded|paid|completed|approved|settled|posted|credited|debited|disbursed"
    r"|processed(?! with))"
)
_YES = _words(_SUCCESS)
_UNYES = _words(  # "could not be completed", "never yet been paid", "the amount to be debited"
    rf"{_NOT} {_SUCCESS}"
    rf"|(?:to|must|should|can|may) be {_SUCCESS}|unpaid|unsuccess\w*"
)
_NO = _words(
    r"fail\w*|unsuccess\w*|not|never|errors?|reject\w*|declin\w*|cancel\w*|insufficient"
    r"|revers\w*|invalid|expired?|unpaid|denied|wrong|incorrect|locked|blocked|refused|unknown"
    r"|awaiting|void\w*|returned|bounced|refund\w*|abort\w*|exceed\w*|limits?|dormant|inactive"
    r"|closed|suspended|frozen|disabled|below|above|unable|cannot|\w+n't"
    r"|(?:no|zero|0) (?:such )?(?:\w+ )?(?:records?|transactions?|payments?|data|results?|match\w*)"
)


def doubts(text: str) -> bool:
    """Whether any of its words say that the outcome is uncertain."""
    words = normalised(text)
    return TIME_OUT.search(words) is not None or doubts_otherwise(text)


def doubts_otherwise(text: str) -> bool:
    """The same, ignoring timeouts."""
    words = normalised(text)
    return _DOUBT.search(words) is not None or _is_taken(words)


def _is_taken(words: str) -> bool:
    return _TAKEN.search(_NOT_TAKEN.sub(" ", words)) is not None


def says_yes(text: str) -> bool:
    """Whether it claims success, even inside a no."""
    return _YES.search(_UNYES.sub(" ", normalised(text))) is not None


def says_no(text: str) -> bool:
    """Whether it claims failure, even inside a yes."""
    return _NO.search(normalised(text)) is not None
