DROP TABLE public.tariff_agreements, public.tariff_blocks, public.tariff_rates;
DROP FUNCTION public.blocks_are_a_draft_s, public.tariff_begins_as_a_draft, public.rated_tariff_is_fixed;
