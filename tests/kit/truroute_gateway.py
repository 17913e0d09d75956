"""A second gateway behind the same seam: TruRoute's XML, which brings the newest answer only.

What is known is what its public clients write and read (facts: USSD 5): a request is
``<ussd><msisdn/><sessionid/><type/><msg/></ussd>``, with type 1 for a dial, whose ``msg`` is no
answer, 2 for an answer, 3 for a session that was left and 4 for one that timed out. An answer's
type is 2 if it goes on and 3 if it ends, with a ``premium`` that costs nothing. No request names
the code, so each code has an address of its own; nothing is said of a session that has ended.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from starlette.responses import Response

from services.domain.phone import MSISDN
from services.domain.ussd import Hop, UssdEvent

DIALLED, ANSWERED, ENDS = "1", "2", "3"


class TruRoute:
    name = "truroute"
    media_type = "text/xml"

    def __init__(self, code: str) -> None:
        self._code = code

    def parse(self, body: bytes) -> Hop | None:
        try:
            root = fromstring(body.decode("utf-8"), forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError):
            return None
        fields = {child.tag: child.text or "" for child in root}
        session, phone = fields.get("sessionid", ""), fields.get("msisdn", "")
        kind = fields.get("type")
        known = root.tag == "ussd" and len(fields) == len(root) and "msg" in fields
        if not (known and 0 < len(session) <= 128 and MSISDN.fullmatch(phone)):
            return None
        if kind not in (DIALLED, ANSWERED):
            return None
        text = "" if kind == DIALLED else fields["msg"]
        return Hop(self.name, session, phone, self._code, "", text, newest_only=True)

    def reply(self, page: str, *, goes_on: bool) -> Response:
        answer = Element("ussd")
        SubElement(answer, "type").text = ANSWERED if goes_on else ENDS
        SubElement(answer, "msg").text = page
        premium = SubElement(answer, "premium")
        SubElement(premium, "cost").text = "0"
        SubElement(premium, "ref").text = "NULL"
        return Response(tostring(answer), media_type="text/xml")

    def budget(self, network: str) -> int:
        return 160

    def read_event(self, body: bytes) -> UssdEvent | None:
        return None
