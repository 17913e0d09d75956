"""Words in an answer that keep it from being final: doubt, a no inside a yes, a yes inside a no.

Whatever a bank or a gateway in between says, the money may have moved where it speaks of a
time-out, a duplicate or an error of its own (facts: NCBA 4). Words are compared whole and without
case, however they are joined: ``Request timeout``, ``GATEWAY_TIMEOUT``, ``RequestTimedOut``.
"""

from __future__ import annotations

import re

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JOINT = re.compile(r"[^0-9a-z.']+|(?<![0-9])\.|\.(?![0-9])")


def plain(text: str) -> str:
    """Lower case, with one blank between words; a dot stays only inside a number."""
    return " ".join(_JOINT.sub(" ", _HUMP.sub(" ", text).lower()).split())


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b")


TIME_OUT = _words(
    r"\w*time(?:d|s)?outs?|tim(?:e|ed|es|ing) outs?|deadline exceeded|ran out of time"
)
_DOUBT = _words(
    # Under way.
    r"in ?process|in ?progress|in ?flight|being processed|still processing|under process(?:ing)?"
    r"|processing (?:of )?(?:the |your |a )?(?:request|transaction|payment)|pending|queued"
    # There already.
    r"|duplicat\w*|already (?:exists?|processed|submitted|received|completed|paid|done|in use)"
    # An error that is not about what was asked for.
    r"|(?:internal|system|server|unexpected|unknown|technical|remote|backend|network|connection"
    r"|communication|gateway|unhandled) ?(?:(?:internal|server|system|service) ?)?"
    r"(?:errors?|fault|failure|exception|response|problem|issue)"
    r"|errors? occurr?ed|something went wrong|remote response|upstream|bad gateway"
    r"|no (?:response|reply|answer)|not respond\w*|\w+n't respond\w*|took too long"
    r"|unsuccessful|unable to determine|connection (?:was )?(?:reset|closed|refused|aborted|lost)"
    r"|(?:temporar\w+|service|currently) (?:is )?(?:un|not )available|unavailable|maintenance"
    # Too fast.
    r"|rate limit\w*|too many|too frequent|quota\w*|throttl\w*|spike arrest|overload\w*"
    r"|(?:api|requests?|calls?|quer(?:y|ies)|connections?|concurren\w+|tps)"
    r" (?:rate |count )?limit\w*"
    r"|limit\w* (?:of|on|for) (?:\w+ ){0,2}(?:requests?|calls?|queries|connections?)"
    # Come back later.
    r"|(?:re ?|please )?try (?:again|later)|re ?try\w*|resubmit|again later|later"
    r"|(?:locked|held|in use|used) by another"
)
_YES = _words(r"success\w*|succeeded|paid|completed|approved|settled")
_UNYES = _words(  # "could not be completed", "never yet been paid"
    r"(?:not|never|non|un|no|cannot|\w+n't)(?: \w+){0,2}?"
    r" (?:success\w*|succeeded|paid|completed|approved|settled)|unpaid|unsuccess\w*"
)
_NO = _words(
    r"fail\w*|unsuccess\w*|not|never|errors?|reject\w*|declin\w*|cancel\w*|insufficient"
    r"|revers\w*|invalid|expired?|unpaid|denied|wrong|incorrect|locked|blocked|refused|unknown"
    r"|awaiting|void\w*|returned|bounced"
)


def doubts(text: str) -> bool:
    """Whether it says, in any of its words, that its speaker does not know either."""
    said = plain(text)
    return TIME_OUT.search(said) is not None or doubts_otherwise(text)


def doubts_otherwise(text: str) -> bool:
    """The same, but for a time-out."""
    return _DOUBT.search(plain(text)) is not None


def says_yes(text: str) -> bool:
    """Whether it claims a success, also inside a no."""
    return _YES.search(_UNYES.sub(" ", plain(text))) is not None


def says_no(text: str) -> bool:
    """Whether it claims a failure, also inside a yes."""
    return _NO.search(plain(text)) is not None
