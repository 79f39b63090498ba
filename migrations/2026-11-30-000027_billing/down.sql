DROP TRIGGER tell_updated ON public.meter_readings;
DROP TRIGGER tell_inserted ON public.meter_readings;
DROP TRIGGER tell_updated ON public.interval_days;
DROP TRIGGER tell_inserted ON public.interval_days;
DROP TABLE public.allocations, public.payments, public.invoice_lines, public.invoice_counts, public.billing_exceptions,
    public.billing_periods, public.invoices, public.invoice_counters, public.billing_runs;
DROP FUNCTION public.tell_changed_reads, public.tell_changed_days, public.credit_notes_pay, public.allocations_pay,
    public.lines_are_their_invoice_s, public.issued_line_is_fixed, public.count_invoices, public.issuing_takes_numbers,
    public.issued_invoice_is_fixed, public.invoice_begins_as_a_draft, public.credited_days_are_due_again, public.period_begins_as_due,
    public.issued_period_is_fixed, public.counter_follows_invoices;
