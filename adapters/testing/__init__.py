"""The contract of an adapter as tests that anybody can run on their own (docs/adapters.md).

::

    python -m adapters.testing > kit_orders.jsonl          # load this into the source
    pytest --pyargs adapters.testing --adapter-url scheme://…
"""
