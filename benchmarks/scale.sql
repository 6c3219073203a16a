-- Documents %(first)s to %(last)s of a made-up archive, as the product would have written them in the last thirty days: of every
-- hundred, 2 wait for a person (received in the last three days), 68 went straight through, 26 were approved and 2 rejected by a
-- person, 2 failed. Seven in ten belong to the first tenant. Run by the superuser, without triggers and foreign keys; the hashes of
-- the audit trail are not true ones, which nothing measured here looks at.
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '128MB';
SELECT setseed(0.5);

CREATE TEMPORARY TABLE made AS
SELECT n,
       gen_random_uuid() AS id,
       (%(tenants)s::uuid[])[CASE WHEN mod(n / 50, 10) < 7 THEN 1 ELSE 2 + mod(n / 50, cardinality(%(tenants)s::uuid[]) - 1) END] AS tenant_id,
       fate,
       CASE WHEN fate IN ('approved', 'waiting', 'rejected') THEN mod(n, 3) ELSE NULL END AS doubt,
       (CASE mod(n / 7, 20) WHEN 0 THEN 0 WHEN 1 THEN 2 WHEN 2 THEN 2 ELSE 1 END) AS priority,
       -- Rows lie on disk about in the order in which they were received, as rows do.
       now() - (1 - (n - %(before)s + random() * 500) / (%(size)s - %(before)s + 500)::float)
               * CASE fate WHEN 'waiting' THEN interval '3 days' ELSE interval '30 days' END AS received_at,
       exp(1.06 + 0.5 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) * interval '1 second' AS took,
       (SELECT array_agg(id ORDER BY id) FROM ocr_documenttype) AS types
  FROM generate_series(%(first)s, %(last)s) AS n
 CROSS JOIN LATERAL (
    SELECT CASE WHEN mod(n, 50) = 0 THEN 'waiting' WHEN mod(n, 50) = 1 THEN 'failed' WHEN mod(n, 50) = 2 THEN 'rejected'
                WHEN mod(n, 50) < 16 THEN 'approved' ELSE 'straight' END AS fate
 ) AS fates;
CREATE INDEX ON made (id);
ANALYZE made;

INSERT INTO ocr_document (
    id, tenant_id, status, version, priority, document_type_id, type_given, external_id, filename, metadata, source, received_by,
    request_id, content_type, size_bytes, sha256, page_count, duplicate_of, received_at, turn_at, status_at, read_at, finished_at,
    step, operation, due_at, lease_until, fence, attempts, error_code, problems, review_reasons, straight_through,
    decision, decision_reason, reviewer, decided_at)
SELECT id, tenant_id,
       CASE fate WHEN 'waiting' THEN 'needs_review' WHEN 'straight' THEN 'approved' ELSE fate END,
       CASE WHEN fate IN ('approved', 'rejected') THEN 4 ELSE 3 END,
       priority, types[1 + mod(n, cardinality(types))], false, 'ERP-' || n, 'scan-' || n || '.pdf', '{}', 'api', 'key:archive', '',
       'application/pdf', 90000 + mod(n, 50000), md5(n::text) || md5((-n)::text), 1, NULL, received_at,
       received_at + (ARRAY[0, 10, 60])[priority + 1] * interval '1 minute',
       CASE WHEN fate IN ('approved', 'rejected') THEN received_at + took + interval '40 minutes' ELSE received_at + took END,
       CASE WHEN fate <> 'failed' THEN received_at + took END,
       CASE fate WHEN 'waiting' THEN NULL WHEN 'straight' THEN received_at + took WHEN 'failed' THEN received_at + took
            ELSE received_at + took + interval '40 minutes' END,
       '', '', NULL, NULL, 2, 0, CASE fate WHEN 'failed' THEN 'bad_document' ELSE '' END, '[]',
       CASE WHEN doubt IS NULL THEN '[]'::jsonb
            ELSE to_jsonb((ARRAY['low_confidence', 'missing', 'invalid'])[1:doubt + 1]) END,
       CASE fate WHEN 'straight' THEN true WHEN 'failed' THEN NULL ELSE false END,
       CASE fate WHEN 'approved' THEN 'approve' WHEN 'rejected' THEN 'reject' ELSE '' END,
       CASE fate WHEN 'rejected' THEN 'illegible' ELSE '' END,
       CASE WHEN fate IN ('approved', 'rejected') THEN 'user:archivist' || mod(n, 40) ELSE '' END,
       CASE WHEN fate IN ('approved', 'rejected') THEN received_at + took + interval '40 minutes' END
  FROM made;

INSERT INTO ocr_page (tenant_id, document_id, number, rotation, width, height, image_sha256)
SELECT tenant_id, id, 1, 0, 1240, 1754, '' FROM made;

INSERT INTO ocr_extraction (
    tenant_id, document_id, number, state, operation, features, token, job_id, model_version, pages, warnings, polls, parts,
    next_token, sent_fence, started_at, collected_at, charge_uncertain, reused_from, micro_dollars, estimate_micro_dollars)
SELECT tenant_id, id, 1, CASE fate WHEN 'failed' THEN 'failed' ELSE 'collected' END, 'AnalyzeDocument', '["FORMS"]',
       md5(id::text), md5(n::text), '1.0', 1, '[]', 1, 1, '', 0, received_at, received_at + took, false, NULL, 50000, 0
  FROM made;

INSERT INTO ocr_artifact (tenant_id, document_id, kind, number, part, key, sha256, size_bytes, content_type, created_at)
SELECT tenant_id, id, kind, 1, 1, 'archive/' || tenant_id || '/' || id || '/' || kind, md5(n::text) || md5(kind || n), 40000,
       'application/json', received_at
  FROM made CROSS JOIN unnest(ARRAY['original', 'raw', 'result']) AS kind;

-- Of documents that rest for good the archive keeps three fields, of the others twelve.
INSERT INTO ocr_field (
    tenant_id, document_id, row, position, name, label, "group", kind, value, text, machine_value, confidence, word_confidence,
    mean_word_confidence, page, box, word_ids, source, why, state, required, threshold, sensitivity, problems, suggestions)
SELECT tenant_id, id, NULL, place, 'field_' || place, 'Field ' || place, '', 'text', 'value ' || n, 'value ' || n, 'value ' || n,
       CASE WHEN place <= doubt THEN 61.5 ELSE 98.5 END, 98.0, 98.0, 1, '[0.1, 0.1, 0.2, 0.02]', '[]', 'textract', '',
       CASE WHEN fate = 'waiting' AND place <= doubt + 1 THEN 'open' ELSE 'certain' END, false, 90, 'internal',
       CASE WHEN fate = 'waiting' AND place <= doubt + 1
            THEN jsonb_build_array(jsonb_build_object('code', 'low_confidence', 'field', 'field_' || place, 'rule', '',
                                                      'message', 'The engine is not sure of it.'))
            ELSE '[]'::jsonb END,
       '[]'
  FROM made CROSS JOIN LATERAL generate_series(1, CASE fate WHEN 'waiting' THEN 12 ELSE 3 END) AS place;

-- What happened to each, by version: received, started, read; and decided where a person did.
CREATE TEMPORARY TABLE happened AS
SELECT made.id, made.tenant_id, made.n, version,
       CASE version WHEN 1 THEN 'INGESTED' WHEN 2 THEN 'TEXTRACT_STARTED'
            WHEN 3 THEN CASE fate WHEN 'straight' THEN 'STRAIGHT_THROUGH' WHEN 'failed' THEN 'FAILED' ELSE 'HUMAN_REVIEW_REQUIRED' END
            ELSE CASE fate WHEN 'rejected' THEN 'HUMAN_REVIEW_REJECTED' ELSE 'HUMAN_REVIEW_APPROVED' END END AS kind,
       CASE version WHEN 1 THEN 'document.received' WHEN 2 THEN 'document.reading'
            WHEN 3 THEN CASE fate WHEN 'straight' THEN 'document.processed' WHEN 'failed' THEN 'document.failed'
                                  ELSE 'document.review.required' END
            ELSE CASE fate WHEN 'rejected' THEN 'document.rejected' ELSE 'document.processed' END END AS event,
       received_at + CASE version WHEN 1 THEN interval '0' WHEN 2 THEN interval '100 ms' WHEN 3 THEN took
                          ELSE took + interval '40 minutes' END AS at
  FROM made CROSS JOIN LATERAL generate_series(1, CASE WHEN fate IN ('approved', 'rejected') THEN 4 ELSE 3 END) AS version;

INSERT INTO audit_auditevent (
    chain, seq, tenant_id, document_id, version, kind, at, actor, step, codes, request_id, previous_hash, hash)
SELECT 'document:' || id, version, tenant_id, id::text, version, kind, at,
       CASE version WHEN 4 THEN 'user:archivist' || mod(n, 40) WHEN 1 THEN 'key:archive' ELSE 'system' END, 'archive',
       '{"count": 1}', '', CASE version WHEN 1 THEN '' ELSE md5(n::text || (version - 1)) || md5(n::text) END,
       md5(n::text || version) || md5(n::text)
  FROM happened;
INSERT INTO audit_audithead (chain, tenant_id, seq, hash)
SELECT 'document:' || id, tenant_id, max(version), md5(n::text || max(version)) || md5(n::text) FROM happened GROUP BY id, tenant_id, n;
INSERT INTO ocr_outboxevent (id, tenant_id, type, document_id, version, data, created_at, due_at, attempts, delivered_at, dead_at)
SELECT gen_random_uuid(), tenant_id, event, id, version, '{}', at, at, 1, at, NULL FROM happened;

DROP TABLE made, happened;
