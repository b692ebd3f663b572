"""By what runs are found in Temporal. It is apart from the workflow, which is imported anew for each run."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

JOURNEY_ID = SearchAttributeKey.for_keyword("JourneyId")
JOURNEY_VERSION = SearchAttributeKey.for_int("JourneyVersion")
CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
ENTRY_TRIGGER = SearchAttributeKey.for_keyword("EntryTrigger")
SEARCH_ATTRIBUTES = (JOURNEY_ID, JOURNEY_VERSION, CUSTOMER_ID, ENTRY_TRIGGER)
