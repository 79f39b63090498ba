-- Documents: what was rendered for a customer. An issued one keeps the same bytes for ever.

CREATE TABLE public.documents (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'reminder', 'statement', 'contract', 'letter')),
    cause_kind      text NOT NULL CHECK (cause_kind ~ '^[a-z_]{1,40}$'),
    cause_id        uuid NOT NULL,
    name            text NOT NULL CHECK (length(trim(name)) >= 1 AND length(trim(name)) <= 255 AND name !~ '[[:cntrl:]/\\]'),
    language        text NOT NULL CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    media_type      text NOT NULL CHECK (length(media_type) <= 127 AND media_type ~ '^[a-z0-9.+-]+/[a-z0-9.+-]+$'),
    bytes           bigint NOT NULL CHECK (bytes > 0),
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    content_key     bytea NOT NULL CHECK (octet_length(content_key) = 32),
    status          text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'issued', 'withdrawn')),
    issued_at       timestamptz CHECK ((issued_at IS NULL) = (status = 'draft')),
    withdrawn_at    timestamptz CHECK ((withdrawn_at IS NOT NULL) = (status = 'withdrawn')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, customer_id, id),
    CONSTRAINT documents_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id)
);
-- One of a kind for each cause and language, but for those that were withdrawn.
CREATE UNIQUE INDEX documents_of_cause ON public.documents (organization_id, client_id, cause_kind, cause_id, kind, language)
    WHERE status <> 'withdrawn';
CREATE INDEX documents_recent ON public.documents (organization_id, client_id, customer_id, id DESC);
COMMENT ON TABLE public.documents IS 'What was rendered for whom and why. The bytes lie outside the database, encrypted, and are found by the document''s id.';
COMMENT ON COLUMN public.documents.cause_kind IS 'What it was rendered of, with cause_id: the noun of a table, such as invoice.';
COMMENT ON COLUMN public.documents.sha256 IS 'Of the bytes before they were encrypted.';
COMMENT ON COLUMN public.documents.content_key IS 'What the bytes are encrypted with: random, of this document alone.';
CALL private.protect('public.documents', 'customer', '{INSERT,UPDATE,DELETE}', 'status = ''issued''');
CALL private.track_updates('public.documents');

CREATE FUNCTION public.issued_document_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE may CONSTANT text[] := '{status,withdrawn_at,updated_at}';
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'issued' AND NEW.status IN ('issued', 'withdrawn') AND to_jsonb(NEW) - may = to_jsonb(OLD) - may THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an issued document never changes; withdraw it and issue another' USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION public.issued_document_is_fixed FROM PUBLIC;
CREATE TRIGGER issued_is_fixed BEFORE UPDATE OR DELETE ON public.documents FOR EACH ROW WHEN (OLD.status <> 'draft')
    EXECUTE FUNCTION public.issued_document_is_fixed();
