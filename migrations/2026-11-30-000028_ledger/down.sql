-- The books go; the facts that they followed from stay.
DROP TRIGGER then_books ON public.allocations;
DROP TRIGGER books_inserted ON public.payments;
DROP TRIGGER books_updated ON public.invoices;
DROP TRIGGER books_inserted ON public.invoices;
DROP TABLE public.ledger_lines, public.ledger_entries;
DROP FUNCTION public.ledger_books_allocations, public.ledger_books_payments, public.ledger_books_invoices, public.ledger_entry_balances,
    public.ledger_lines_come_together, public.ledger_is_append_only;
