"""Textract without an engine: answers that were drawn or recorded, with AWS's delays, quotas and failures.

From outside to inside: `wire` speaks HTTP in one asyncio process, `requests` reads what was asked without unpacking what
it need not, `operations` answers. `knobs` are the settings, `chance` the seeded draws, `rates` the quotas, `fates` what
goes wrong, `jobs` what was started, `books` what was counted and billed. `papers` draws pages and `pool` keeps them as
bytes ready to send.
"""
