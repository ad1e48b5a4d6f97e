"""`biconnector.dataset.*` and `biconnector.table.*`: tables of a source, named anew."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from emulator.php import is_array, is_empty, items, to_int
from emulator.portal import field_types
from emulator.rest.errors import MethodError, not_found
from emulator.rest.sources import owned as owned_source
from emulator.storage import USER_ID, Dataset, DatasetField, State, now

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def owned(state: State, app_id: str, dataset_id: int) -> Dataset:
    """Return the dataset, if it is made of a source of the application."""
    dataset = state.datasets.get(dataset_id)
    if dataset is not None:
        connector = state.connectors[state.sources[dataset.source_id].connector_id]
        if connector.app_id == app_id:
            return dataset
    raise not_found("dataset")


def row(dataset: Dataset) -> dict[str, Any]:
    """Return a dataset as the list shows it."""
    return {
        "id": dataset.id,
        "sourceId": dataset.source_id,
        "type": "rest",
        "name": dataset.name,
        "description": dataset.description,
        "externalCode": dataset.external_code,
        "externalName": dataset.external_name,
        "externalId": None,
        "dateCreate": dataset.date_create,
        "dateUpdate": dataset.date_update,
        "createdById": USER_ID,
        "updatedById": None if dataset.date_update is None else USER_ID,
    }


def item(dataset: Dataset) -> dict[str, Any]:
    """Return a dataset as `get` shows it, with its fields."""
    columns = [
        {
            "id": column.id,
            "datasetId": dataset.id,
            "type": column.type,
            "name": column.name,
            "externalCode": column.external_code,
            "visible": column.visible,
        }
        for column in dataset.fields
    ]
    return row(dataset) | {"fields": columns}


def add(state: State, app_id: str, fields: dict[str, Any]) -> int:
    """Create a dataset; the connector is not asked."""
    name = fields["name"]
    if not _NAME.fullmatch(name):
        raise MethodError(
            "VALIDATION_DATASET_NAME_INVALID",
            "Dataset name has to start with a lowercase Latin character. Possible entry includes "
            "lowercase Latin characters (a-z), numbers (0-9) and underscores.",
        )
    source = owned_source(state, app_id, to_int(fields["sourceId"]))
    columns = [entry for _, entry in items(fields["fields"])]
    _check_name(state, name, columns)
    _check_columns(state, columns)
    if len(name) > 230:
        raise MethodError(
            "VALIDATION_DATASET_NAME_TOO_LONG", "Dataset name must not exceed 230 characters."
        )
    dataset = Dataset(
        id=state.next_id("dataset"),
        source_id=source.id,
        name=name,
        external_name=fields["externalName"],
        external_code=fields["externalCode"],
        description=fields.get("description"),
        fields=_new_columns(state, columns),
    )
    state.datasets[dataset.id] = dataset
    return dataset.id


def _check_name(state: State, name: str, columns: list[Any]) -> None:
    """Repeated columns, a taken name, no columns; old and new portals word it differently."""
    old = state.portal == "old"
    repeated = _repeated(columns, "name")
    if repeated and not old:
        raise MethodError("DUPLICATE_FIELDS", f"Duplicate column names: {', '.join(repeated)}.")
    if any(dataset.name == name for dataset in state.datasets.values()):
        if old:
            raise MethodError("DATASET_ALREADY_EXIST", "Dataset with this name already exists.")
        raise MethodError("NAME_EXISTS", f'A table named "{name}" already exists.')
    if not columns:
        raise MethodError("FIELDS_EMPTY", "$fields is empty")


def _repeated(columns: list[Any], key: str) -> list[str]:
    values = [str(column[key]) for column in columns if isinstance(column, dict) and key in column]
    return [value for value, count in Counter(values).items() if count > 1]


def _check_columns(state: State, columns: list[Any]) -> None:
    for key, word in (("externalCode", "CODE"), ("name", "NAME")):
        if repeated := _repeated(columns, key):
            raise MethodError(
                f"VALIDATION_DUPLICATE_FIELD_{word}",
                f'Duplicate values found in the "{word.lower()}" parameter: {", ".join(repeated)}',
            )
    types = field_types(state)
    for column in columns:
        _check_column(column, types)


def _check_column(column: Any, types: tuple[str, ...]) -> None:
    if not isinstance(column, dict) or not {"name", "type", "externalCode"} <= set(column):
        raise MethodError(
            "VALIDATION_FIELD_MISSING_REQUIRED_PARAMETERS",
            'Field must include the required parameters: "name", "externalCode" and "type".',
        )
    if not _FIELD_NAME.fullmatch(str(column["name"])):
        raise MethodError(
            "VALIDATION_FIELD_NAME_INVALID_FORMAT",
            'Field "name" has to start with an uppercase Latin character. Possible entry includes '
            "uppercase Latin characters (A-Z), numbers (0-9) and underscores.",
        )
    if len(str(column["name"])) > 32:
        raise MethodError(
            "VALIDATION_FIELD_NAME_TOO_LONG", 'Field "name" must not exceed 32 characters.'
        )
    if column["type"] not in types:
        raise MethodError("VALIDATION_FIELD_INVALID_TYPE", "Invalid field type.")


def _new_columns(state: State, columns: list[Any]) -> list[DatasetField]:
    return [
        DatasetField(
            id=state.next_id("field"),
            name=str(column["name"]),
            external_code=str(column["externalCode"]),
            type=str(column["type"]),
        )
        for column in columns
    ]


def update(state: State, app_id: str, dataset_id: int, fields: dict[str, Any]) -> None:
    """Change the description; everything else is immutable or has a method of its own."""
    dataset = owned(state, app_id, dataset_id)
    if fields.get("fields") is not None:
        raise MethodError(
            "INVALID_METHOD",
            'Use the method "biconnector.dataset.fields.update" to update the dataset fields."',
        )
    dataset.description = fields.get("description", dataset.description)
    dataset.date_update = now()


def delete(state: State, app_id: str, dataset_id: int) -> None:
    """Remove a dataset."""
    del state.datasets[owned(state, app_id, dataset_id).id]


def fields_update(state: State, app_id: str, dataset_id: int, parameters: dict[str, Any]) -> None:
    """Add columns, show or hide columns, remove columns; all of it or nothing."""
    adding = _columns_to_add(parameters.get("add"))
    visible = _columns_to_show(parameters.get("update"))
    removing = _columns_to_delete(parameters.get("delete"))
    dataset = owned(state, app_id, dataset_id)
    if adding:
        _check_columns(state, adding)
        _check_existing(dataset, adding)
    for column in dataset.fields:
        column.visible = visible.get(column.id, column.visible)
    dataset.fields += _new_columns(state, adding)
    dataset.fields = [column for column in dataset.fields if column.id not in removing]


def _columns_to_add(value: Any) -> list[dict[str, Any]]:
    columns = [dict(items(entry)) for _, entry in items(value)] if is_array(value) else []
    for column in columns:
        if any(column.get(key) is None for key in ("name", "externalCode", "type")):
            raise MethodError(
                "VALIDATION_FIELD_ADD_MISSING_REQUIRED_FIELDS",
                'Field to be added must include the required parameters: "name", "externalCode" '
                'and "type".',
            )
    return columns


def _columns_to_show(value: Any) -> dict[int, bool]:
    visible = {}
    for _, entry in items(value) if is_array(value) else []:
        column = dict(items(entry))
        if column.get("id") is None or column.get("visible") is None:
            raise MethodError(
                "VALIDATION_FIELD_UPDATE_MISSING_REQUIRED_FIELDS",
                'Field to be updated must include the required parameters: "id" and "visible".',
            )
        visible[to_int(column["id"])] = not is_empty(column["visible"])
    return visible


def _columns_to_delete(value: Any) -> set[int]:
    removing = set()
    for _, entry in items(value) if is_array(value) else []:
        if not str(entry).strip().isdigit() or int(str(entry)) < 1:
            raise MethodError(
                "VALIDATION_FIELD_DELETE_INVALID_ID", "ID to be deleted must be a positive integer."
            )
        removing.add(int(str(entry)))
    return removing


def _check_existing(dataset: Dataset, adding: list[dict[str, Any]]) -> None:
    present = {
        "externalCode": [column.external_code for column in dataset.fields],
        "name": [column.name for column in dataset.fields],
    }
    for key, word in (("externalCode", "CODE"), ("name", "NAME")):
        taken = [value for value in present[key] if value in {column[key] for column in adding}]
        if taken:
            raise MethodError(
                f"VALIDATION_DUPLICATE_EXIST_{word}",
                f'The following "{key}" values already exist in the current fields: '
                f"{', '.join(taken)}",
            )
