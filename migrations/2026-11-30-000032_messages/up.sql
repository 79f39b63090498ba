-- Messages to customers: the outbox. A row is written with what caused it and sent afterwards.

CREATE TABLE public.messages (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    cause_kind      text NOT NULL CHECK (cause_kind ~ '^[a-z_]{1,40}$'),
    cause_id        uuid NOT NULL,
    channel         text NOT NULL CHECK (channel IN ('mail', 'post', 'portal')),
    recipient       text NOT NULL CHECK (length(recipient) >= 1 AND length(recipient) <= 400 AND (channel = 'post' OR recipient !~ '[[:cntrl:]]')),
    language        text NOT NULL CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    content         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(content) = 'object' AND length(content::text) <= 20000),
    document_id     uuid,
    status          text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'sending', 'sent', 'failed', 'bounced', 'suppressed', 'cancelled')),
    attempts        smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at          timestamptz DEFAULT now() CHECK ((due_at IS NOT NULL) = (status IN ('queued', 'sending'))),
    last_result     text NOT NULL DEFAULT '' CHECK (length(last_result) <= 400),
    sent_at         timestamptz CHECK ((sent_at IS NOT NULL) = (status IN ('sent', 'bounced'))),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    CONSTRAINT messages_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id),
    CONSTRAINT messages_document FOREIGN KEY (organization_id, client_id, customer_id, document_id)
        REFERENCES public.documents (organization_id, client_id, customer_id, id)
);
-- What was caused once is told once.
CREATE UNIQUE INDEX messages_once ON public.messages (organization_id, client_id, cause_kind, cause_id, kind, channel, lower(recipient));
CREATE INDEX messages_recent ON public.messages (organization_id, client_id, customer_id, id DESC);
CREATE INDEX messages_due ON public.messages (organization_id, client_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX messages_with_document ON public.messages (organization_id, client_id, customer_id, document_id) WHERE document_id IS NOT NULL;
COMMENT ON TABLE public.messages IS 'The outbox: what is to be told to which customer, why, and what came of it.';
COMMENT ON COLUMN public.messages.content IS 'The figures and names that the words of its kind are made with; never a password, code or link.';
COMMENT ON COLUMN public.messages.due_at IS 'When it is tried next; while it is being sent, when another may take it up.';
COMMENT ON COLUMN public.messages.last_result IS 'What the other side said last.';
CALL private.protect('public.messages', 'customer', '{INSERT,UPDATE}', 'status = ''sent''');
CALL private.track_updates('public.messages');

-- What was sent, bounced or called off is over. What failed may be tried again.
CREATE FUNCTION public.sent_message_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.status = 'sent' AND NEW.status IN ('sent', 'bounced') AND (NEW.recipient, NEW.content, NEW.sent_at) IS NOT DISTINCT FROM (OLD.recipient, OLD.content, OLD.sent_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a message that was sent or called off never changes' USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION public.sent_message_is_fixed FROM PUBLIC;
CREATE TRIGGER sent_is_fixed BEFORE UPDATE ON public.messages FOR EACH ROW WHEN (OLD.status IN ('sent', 'bounced', 'cancelled'))
    EXECUTE FUNCTION public.sent_message_is_fixed();
