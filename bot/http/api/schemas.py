"""The schemas of all that goes in and out, as OpenAPI 3.1 has them: JSON Schema 2020-12."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

TEMPLATE = "#/components/schemas/{model}"
_RENAMED = {"PublicKind": "Kind"}
_REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')
_INNER = "Document"  # how the classes of answers end


class _Schemas(GenerateJsonSchema):
    """Without titles that only repeat a member's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def component(model: type[BaseModel]) -> str:
    """What a model is called in the document."""
    return _public(model.__name__)


def reference_to(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": TEMPLATE.format(model=component(model))}


def components(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """All models, with those inside them, by name."""
    ordered = sorted(set(models), key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in ordered],
        ref_template=TEMPLATE,
        schema_generator=_Schemas,
    )
    found = {_public(name): schema for name, schema in _reworded(made.get("$defs", {})).items()}
    named = {component(model) for model in ordered}
    return {name: found[name] for name in sorted(_reached(found, named))}


def _reached(found: dict[str, Any], names: set[str]) -> set[str]:
    """These and all that they refer to: types of ours that have a schema of their own are not."""
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= set(_REFERENCE.findall(json.dumps(found[name]))) - reached
    return reached


def parameter_schema(field: FieldInfo, schema: dict[str, Any]) -> dict[str, Any]:
    """A member of a query: its values are text, so none of them is null."""
    schema = {name: value for name, value in schema.items() if name != "description"}
    if "anyOf" in schema:
        kept = [one for one in schema["anyOf"] if one != {"type": "null"}]
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        schema = {**rest, **kept[0]} if len(kept) == 1 else {**rest, "anyOf": kept}
    if field.default is None:
        schema.pop("default", None)
    return schema


def query_schema(model: type[BaseModel]) -> dict[str, Any]:
    made = model.model_json_schema(
        by_alias=True, ref_template=TEMPLATE, schema_generator=_Schemas, mode="validation"
    )
    found: dict[str, Any] = _reworded(made)
    return found


def _public(name: str) -> str:
    return _RENAMED.get(name, name.removesuffix(_INNER))


def _reworded(value: Any) -> Any:
    """With the public names of schemas, and code in Markdown's marks."""
    match value:
        case dict():
            made = {name: _reworded(member) for name, member in value.items()}
            if isinstance(reference := made.get("$ref"), str):
                prefix, _, name = reference.rpartition("/")
                made["$ref"] = f"{prefix}/{_public(name)}"
            if isinstance(title := made.get("title"), str):
                made["title"] = _public(title)
            if isinstance(text := made.get("description"), str):
                made["description"] = " ".join(text.replace("``", "`").split())
            if "enum" in made and "title" in made:
                made.pop("description", None)  # written for readers of the code
            return made
        case list():
            return [_reworded(one) for one in value]
        case _:
            return value
