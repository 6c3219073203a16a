"""What AWS's JSON 1.1 protocol looks like on the wire, whatever answers it."""

import re

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET_PREFIX = "Textract."
MAX_BODY_BYTES = 16 << 20
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/textract/aws4_request,\s*"
    r"SignedHeaders=[a-z0-9;-]+,\s*Signature=[0-9a-f]{64}"
)
THROTTLES = ("ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException")
