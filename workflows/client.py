"""The way to Temporal, by Temporal's own environment variables and profiles."""

from __future__ import annotations

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from journeys.problems import Invalid, Unavailable
from workflows.search_attributes import SEARCH_ATTRIBUTES

_ENCODINGS = tuple(PydanticPayloadConverter().converters.values())


class _Payloads(CompositePayloadConverter):
    """The SDK's for pydantic, with its parts made once for all, as the SDK makes a converter for each task of a run.

    To replay a run of three messages takes 8.4 ms of CPU with it, and 9.4 without.
    """

    def __init__(self) -> None:
        super().__init__(*_ENCODINGS)


DATA_CONVERTER = DataConverter(payload_converter_class=_Payloads)
"""How values are written in Temporal: as JSON, by pydantic."""

DEFAULT_NAMESPACE = "default"


async def connect(
    *, address: str | None = None, namespace: str | None = None, identity: str | None = None, lazy: bool = False
) -> Client:
    """A client for *namespace* of the Temporal at *address*, or what ``TEMPORAL_ADDRESS`` and its like say.

    *lazy*: connect on first use, so that a process may start while Temporal is down. A worker cannot be lazy.
    Raises RuntimeError where Temporal does not answer, and Invalid where its settings will not do.
    """
    config = named()
    config["target_host"] = address or config.get("target_host", "localhost:7233")
    config["namespace"] = namespace or config.get("namespace", DEFAULT_NAMESPACE)
    try:
        return await Client.connect(**config, data_converter=DATA_CONVERTER, identity=identity, lazy=lazy)
    except ValueError:
        message = f"TEMPORAL_ADDRESS is no address: expected host:port; found '{config['target_host']}'."
        raise Invalid(message) from None


def named() -> ClientConnectConfig:
    """What Temporal's own variables and profiles say, and no more. Raises Invalid where they will not do."""
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:  # no such profile, no such file of a certificate
        raise Invalid(f"Temporal's settings cannot be used: {error}.") from None


async def check_namespace(client: Client) -> None:
    """Raises Unavailable where Temporal does not know the client's namespace: a worker would fail in it."""
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise Unavailable(
                f'Temporal has no namespace "{client.namespace}". Set TEMPORAL_NAMESPACE to one that is there, or '
                f"create it: temporal operator namespace create -n {client.namespace}"
            ) from None


async def register_search_attributes(client: Client) -> None:
    """Make the namespace know the search attributes of runs. Asking again changes nothing."""
    listing = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(listing)).custom_attributes
    if missing := {name: kind for name, kind in search_attribute_types().items() if name not in known}:
        adding = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        await client.operator_service.add_search_attributes(adding)


def search_attribute_types() -> dict[str, IndexedValueType.ValueType]:
    """The names and types of the search attributes of runs."""
    return {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
