-- A ledger transaction used to be checked at commit for itself and again for each of its postings. It is checked once now, at
-- commit; and postings are refused on the spot when their transaction would have more than it declares, so that none can join
-- one that was checked.
create or replace function check_ledger_transaction() returns trigger language plpgsql as $$
declare
  counted integer;
  uneven  text;
begin
  select coalesce(sum(postings), 0), string_agg(currency, ',') filter (where balance <> 0) into counted, uneven
    from (select currency, count(*) as postings, sum(amount) as balance
            from ledger_postings where transaction_id = new.id group by currency) as sums;
  if counted <> new.postings then
    raise exception 'ledger transaction % declares % postings and has %', new.id, new.postings, counted
      using errcode = 'check_violation', constraint = 'ledger_transactions_complete';
  end if;
  if uneven is not null then
    raise exception 'ledger transaction % does not sum to 0 in %', new.id, uneven
      using errcode = 'check_violation', constraint = 'ledger_transactions_balanced';
  end if;
  return null;
end $$;

create function refuse_surplus_postings() returns trigger language plpgsql as $$
declare
  subject uuid;
begin
  for subject in select distinct transaction_id from added loop
    if (select count(*) from ledger_postings where transaction_id = subject)
         > coalesce((select postings from ledger_transactions where id = subject), 0) then
      raise exception 'ledger transaction % has more postings than it declares', subject
        using errcode = 'check_violation', constraint = 'ledger_transactions_complete';
    end if;
  end loop;
  return null;
end $$;

drop trigger ledger_postings_balanced on ledger_postings;
create trigger ledger_postings_no_surplus after insert on ledger_postings
  referencing new table as added for each statement execute function refuse_surplus_postings();
