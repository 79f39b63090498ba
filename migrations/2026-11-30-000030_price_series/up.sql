-- Market prices. What a bill used once is never overwritten: what comes later for the same time is another revision.

CREATE TABLE public.price_series (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    code            text NOT NULL CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'),
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    source          text NOT NULL CHECK (length(trim(source)) BETWEEN 1 AND 200),
    unit            text NOT NULL CHECK (unit IN ('kWh', 'MWh')),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    minutes         smallint NOT NULL CHECK (minutes IN (15, 60, 1440)),
    time_zone       text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 60),
    revision        integer NOT NULL DEFAULT 0 CHECK (revision >= 0),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, id, minutes),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE UNIQUE INDEX price_series_code ON public.price_series (organization_id, client_id, lower(code));
COMMENT ON TABLE public.price_series IS 'Series of market prices of a client: where they come from, in which unit and resolution.';
COMMENT ON COLUMN public.price_series.code IS 'What tariffs call it.';
COMMENT ON COLUMN public.price_series.minutes IS 'How long a price holds: 15 or 60 minutes, or 1440: a local day, however long.';
COMMENT ON COLUMN public.price_series.time_zone IS 'Whose days they are.';
COMMENT ON COLUMN public.price_series.revision IS 'The number of the last load that brought something new; 0: none did.';
CALL private.protect('public.price_series', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.price_series');

CREATE TABLE public.price_points (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    series_id       uuid NOT NULL,
    starts_at       timestamptz NOT NULL,
    revision        integer NOT NULL CHECK (revision > 0),
    minutes         smallint NOT NULL,
    price           numeric(12,6) NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, series_id, starts_at, revision),
    FOREIGN KEY (organization_id, client_id, series_id, minutes) REFERENCES public.price_series (organization_id, client_id, id, minutes),
    CHECK (extract(epoch FROM starts_at) % 900 = 0)
);
COMMENT ON TABLE public.price_points IS 'Prices of a series: each holds from its start (included) for the series'' minutes (excluded). Only added to.';
COMMENT ON COLUMN public.price_points.revision IS 'The load that brought it. Of one start the highest revision holds; a bill says up to which it read.';
COMMENT ON COLUMN public.price_points.price IS 'Per unit of the series; may be below nothing.';
CALL private.protect('public.price_points', 'client', '{INSERT}');
CALL private.track_updates('public.price_points');
