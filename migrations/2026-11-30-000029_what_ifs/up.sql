-- What-if: candidate tariffs over chosen customers' own past usage, and what each customer would have paid.

CREATE TABLE public.what_ifs (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    job_id          uuid,
    chosen          text NOT NULL CHECK (chosen IN ('all', 'tariff', 'accounts')),
    tariff_code     text NOT NULL DEFAULT '' CHECK ((tariff_code <> '') = (chosen = 'tariff')),
    accounts        jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(accounts) = 'array' AND (accounts <> '[]') = (chosen = 'accounts')),
    from_on         date NOT NULL CHECK (extract(day FROM from_on) = 1),
    to_on           date NOT NULL CHECK (to_on > from_on AND extract(day FROM to_on) = 1),
    candidates      jsonb NOT NULL CHECK (jsonb_typeof(candidates) = 'array' AND jsonb_array_length(candidates) BETWEEN 1 AND 4),
    documents       jsonb NOT NULL CHECK (jsonb_array_length(documents) = jsonb_array_length(candidates)),
    totals          jsonb,
    user_name       text NOT NULL,
    finished_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    FOREIGN KEY (organization_id, job_id) REFERENCES public.jobs (organization_id, id),
    CHECK ((totals IS NULL) = (finished_at IS NULL))
);
CREATE INDEX what_ifs_recent ON public.what_ifs (organization_id, client_id, created_at DESC, id DESC);
CREATE INDEX what_ifs_job ON public.what_ifs (organization_id, job_id);
COMMENT ON TABLE public.what_ifs IS 'Comparisons of tariffs over past usage: who asked, for which customers and months, with which versions. No bill comes of them.';
COMMENT ON COLUMN public.what_ifs.candidates IS 'The versions to try, in order: id, code, version, name.';
COMMENT ON COLUMN public.what_ifs.documents IS 'What these versions said when it was asked: a draft that changes meanwhile changes no comparison.';
COMMENT ON COLUMN public.what_ifs.totals IS 'Sums, counts and distribution, made from the results at the end.';
CALL private.protect('public.what_ifs', 'client', '{INSERT,UPDATE,DELETE}');
CALL private.track_updates('public.what_ifs');

CREATE TABLE public.what_if_results (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    what_if_id      uuid NOT NULL,
    customer_id     uuid NOT NULL,
    contract_id     uuid NOT NULL,
    account_number  text NOT NULL,
    customer_name   text NOT NULL,
    supplied        smallint NOT NULL CHECK (supplied >= 0),
    estimated       boolean NOT NULL,
    months          smallint[] NOT NULL CHECK (cardinality(months) BETWEEN 1 AND 4),
    kwh             numeric(16,3)[] NOT NULL CHECK (cardinality(kwh) = cardinality(months)),
    now             numeric(16,2)[] NOT NULL CHECK (cardinality(now) = cardinality(months)),
    costs           numeric(16,2)[] NOT NULL CHECK (cardinality(costs) = cardinality(months)),
    problems        text[] NOT NULL CHECK (cardinality(problems) = cardinality(months)),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, what_if_id, customer_id, contract_id),
    FOREIGN KEY (organization_id, client_id, what_if_id) REFERENCES public.what_ifs (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, contract_id) REFERENCES public.contracts (organization_id, client_id, customer_id, id)
);
CREATE INDEX what_if_results_account ON public.what_if_results (organization_id, client_id, what_if_id, account_number, contract_id);
COMMENT ON TABLE public.what_if_results IS 'One row a contract of a what-if; its arrays have a place for each candidate. It goes with its what-if.';
COMMENT ON COLUMN public.what_if_results.supplied IS 'Months in which the customer was supplied, in whole or in part.';
COMMENT ON COLUMN public.what_if_results.months IS 'Months that could be rated both now and under the candidate: kwh, now and costs are sums of these.';
COMMENT ON COLUMN public.what_if_results.problems IS 'Why other months could not be rated, a sentence; empty: all were.';
CALL private.protect('public.what_if_results', 'client', '{INSERT,DELETE}');
CALL private.track_updates('public.what_if_results');
