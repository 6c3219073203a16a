"""Textract without an engine: answers that were drawn or recorded, with AWS's delays, quotas and failures.

From outside to inside: `wire` speaks HTTP in one asyncio process, `requests` reads what was asked without unpacking what
it need not, `operations` answers. `knobs` are the settings, `chance` the seeded draws, `rates` the quotas, `fates` what
goes wrong, `jobs` what was started, `books` what was counted and billed. `papers` draws pages and `pool` keeps them as
bytes ready to send; `recordings` gives answers of the real service again. `malformed` and `noise` spoil them, `endings` sees to
jobs that end (`outputs`, `notices`).

Measured with 100 calls in flight and answers of 200 KB, on a 2-core machine that was busy with other work: 0.8 ms of
processor time a call when the document is named, 1.7 ms when 100 KB come along, 6 ms with 1 MB (`make bench
BENCH=simulator`; most of the last is base64 and SHA-256, see the knob `identify_bytes`).
"""
