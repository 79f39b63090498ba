DROP TRIGGER tell_inserted ON public.interval_days;
DROP TRIGGER tell_updated ON public.interval_days;
DROP TRIGGER tell_inserted ON public.meter_readings;
DROP TRIGGER tell_updated ON public.meter_readings;
DROP FUNCTION public.tell_changed_days, public.tell_changed_reads;
DROP TABLE public.allocations, public.payments, public.invoice_lines, public.invoice_counts, public.billing_exceptions,
    public.billing_periods, public.invoices, public.invoice_counters, public.billing_runs;
DROP FUNCTION public.issued_period_is_fixed, public.period_begins_as_due, public.credited_days_are_due_again, public.issued_line_is_fixed, public.count_invoices, public.issued_invoice_is_fixed, public.invoice_begins_as_a_draft,
    public.issuing_takes_numbers, public.lines_are_their_invoice_s, public.counter_follows_invoices, public.credit_notes_pay,
    public.allocations_pay;
