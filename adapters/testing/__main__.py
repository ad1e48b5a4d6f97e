"""Print the table that the contract suite expects in a source, a JSON object for each row."""

from __future__ import annotations

import json
import sys

from adapters.testing.data import ROWS, json_ready

for row in ROWS:
    sys.stdout.write(json.dumps(json_ready(row), ensure_ascii=False) + "\n")
