-- Energy communities: generation that is shared among customers by keys, from a day to a day.

CREATE TABLE public.communities (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    sharing         text NOT NULL CHECK (sharing IN ('fixed', 'by_usage')),
    starts_on       date NOT NULL,
    ends_on         date CHECK (ends_on > starts_on),
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE UNIQUE INDEX communities_name ON public.communities (organization_id, client_id, lower(name));
COMMENT ON TABLE public.communities IS 'Customers who share what some of them generate. The client''s: a member sees none of the others.';
COMMENT ON COLUMN public.communities.sharing IS 'fixed: each member gets its key of what is generated; by_usage: what each uses in an interval decides, within its key.';
COMMENT ON COLUMN public.communities.ends_on IS 'First day no longer.';
CALL private.protect('public.communities', 'client', '{INSERT,UPDATE,DELETE}');
CALL private.track_updates('public.communities');

CREATE TABLE public.community_members (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    community_id    uuid NOT NULL,
    customer_id     uuid NOT NULL,
    role            text NOT NULL CHECK (role IN ('consumer', 'producer', 'both')),
    share           numeric(9,6) NOT NULL CHECK (share >= 0 AND share <= 1 AND (share = 0 OR role <> 'producer')),
    valid_from      date NOT NULL,
    valid_to        date CHECK (valid_to > valid_from),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    CONSTRAINT community_members_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, community_id WITH =,
        customer_id WITH =, daterange(valid_from, valid_to) WITH &&),
    CONSTRAINT community_members_community FOREIGN KEY (organization_id, client_id, community_id) REFERENCES public.communities (organization_id, client_id, id),
    CONSTRAINT community_members_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id)
);
CREATE INDEX community_members_days ON public.community_members (organization_id, client_id, community_id, valid_from);
CREATE INDEX community_members_of_customer ON public.community_members (organization_id, client_id, customer_id, valid_from);
COMMENT ON TABLE public.community_members IS 'Who shares in a community, from a day (included) to a day (excluded). On no day do the keys come to more than 1.';
COMMENT ON COLUMN public.community_members.share IS 'The key: the part of what is generated that is the member''s. Nothing for who only generates.';
CALL private.protect('public.community_members', 'client', '{INSERT,UPDATE,DELETE}');
CALL private.track_updates('public.community_members');
