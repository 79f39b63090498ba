-- Service points: the places where energy is delivered or fed in.

CREATE TABLE public.service_points (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    address         text NOT NULL CHECK (length(trim(address)) BETWEEN 1 AND 400),
    supply_point_id text NOT NULL DEFAULT '' CHECK (length(supply_point_id) <= 60),
    grid_operator   text NOT NULL DEFAULT '' CHECK (length(grid_operator) <= 200),
    phases          smallint CHECK (phases IN (1, 3)),
    fuse_amps       smallint CHECK (fuse_amps > 0),
    direction       text NOT NULL DEFAULT 'import' CHECK (direction IN ('import', 'export', 'both')),
    time_zone       text NOT NULL,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE UNIQUE INDEX service_points_supply_point_id ON public.service_points (organization_id, client_id, lower(supply_point_id))
    WHERE supply_point_id <> '';
COMMENT ON TABLE public.service_points IS 'Where energy is delivered or fed in. Meters are installed here, whoever lives here; a contract says who does.';
COMMENT ON COLUMN public.service_points.supply_point_id IS 'As its market calls it: NMI, MaLo, MPAN, PRM, ESI; empty: not known.';
COMMENT ON COLUMN public.service_points.time_zone IS 'IANA; contract days and profile days here are local to it.';
CALL private.protect('public.service_points', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.service_points');
