"""A local stand-in for AWS Textract: the same JSON 1.1 protocol, answered by an OCR engine on this machine.

Shares no code with the product, so that a mistake in one cannot hide in the other. Start it with
`python -m deploy.local.textract --port N --mode ocr`, point AWS_ENDPOINT_URL_TEXTRACT at it.

From outside to inside: `server` speaks HTTP, `inputs` checks what was asked, `operations` answers, `jobs` carries out
what was started, `ledger` and `results` remember it, `stores` holds the documents. `processes` keeps the children in
which `child` opens documents (`pictures`) and reads them (`engine`, `calibration`): a hostile file may kill a child,
never the server. `readings` reads each page once. `layout`, `labels`, `forms`, `tables`, `queries` and `blocks` turn the
words of a page into Textract's blocks.
"""
