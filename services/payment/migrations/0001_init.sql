create table payments (
  id                uuid primary key,
  order_id          uuid not null,
  order_no          text not null,
  user_id           uuid not null,
  provider          text not null check (provider in ('stripe')),
  intent_id         text,
  status            text not null check (status in ('creating', 'requires_payment', 'processing', 'succeeded', 'failed',
                                                    'voided', 'partially_refunded', 'refunded', 'under_review')),
  amount            bigint not null check (amount >= 0),
  currency          text not null check (currency ~ '^[A-Z]{3}$'),
  refunded_amount   bigint not null default 0,
  -- What each vendor order pays, as proto JSON; posted when the customer has paid.
  allocations       jsonb not null,
  request_hash      text not null,
  failure_code      text not null default '',
  -- Part of the provider's idempotency key; grows when the provider has stored a failure of its own under the key.
  key_generation    integer not null default 0,
  void_requested_at timestamptz,
  -- The provider's id of the money's movement; its fee is posted once it is known.
  movement_id       text,
  -- When to ask the provider next; null when there is nothing left to learn.
  next_check_at     timestamptz,
  checks            integer not null default 0,
  raw_json          jsonb not null default '{}',
  paid_at           timestamptz,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  -- Whatever goes wrong above, more than was paid is never given back.
  constraint payments_not_over_refunded check (refunded_amount between 0 and amount)
);
create unique index payments_order_id on payments (order_id);
create unique index payments_intent_id on payments (intent_id);
create index payments_user_id on payments (user_id, id desc);
create index payments_status on payments (status, id desc);
create index payments_next_check_at on payments (next_check_at) where next_check_at is not null;

-- Orders that were voided before they had a payment: they get none afterwards.
create table voided_orders (
  order_id  uuid primary key,
  voided_at timestamptz not null default now()
);

-- One row per attempt of the customer that the provider decided.
create table payment_attempts (
  id           uuid primary key,
  payment_id   uuid not null references payments (id),
  provider_ref text not null,
  outcome      text not null check (outcome in ('succeeded', 'failed')),
  code         text not null default '',
  at           timestamptz not null default now(),
  unique (payment_id, provider_ref)
);

create table refunds (
  id              uuid primary key,
  payment_id      uuid not null references payments (id),
  order_id        uuid not null,
  amount          bigint not null check (amount >= 0),
  currency        text not null,
  reason          text not null,
  status          text not null check (status in ('requested', 'submitted', 'succeeded', 'failed')),
  external_ref    text,
  allocations     jsonb not null,
  request_hash    text not null,
  requested_by    text not null default '',
  failure_code    text not null default '',
  key_generation  integer not null default 0,
  attempts        integer not null default 0,
  -- When the job takes it up; whoever works on it now has moved this ahead.
  next_attempt_at timestamptz,
  raw_json        jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  completed_at    timestamptz,
  updated_at      timestamptz not null default now()
);
create index refunds_payment_id on refunds (payment_id);
create unique index refunds_external_ref on refunds (external_ref);
create index refunds_next_attempt_at on refunds (next_attempt_at) where next_attempt_at is not null;

create table payouts (
  id              uuid primary key,
  vendor_id       uuid not null,
  amount          bigint not null check (amount > 0),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  provider        text not null check (provider in ('stripe')),
  method          text not null,
  status          text not null check (status in ('processing', 'paid', 'failed')),
  -- The account that was asked for; empty: the vendor's connected account.
  destination     text not null default '',
  country         text not null,
  external_ref    text,
  failure_code    text not null default '',
  reversed_amount bigint not null default 0,
  key_generation  integer not null default 0,
  attempts        integer not null default 0,
  next_attempt_at timestamptz,
  raw_json        jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  completed_at    timestamptz,
  updated_at      timestamptz not null default now(),
  constraint payouts_not_over_reversed check (reversed_amount between 0 and amount)
);
create index payouts_vendor_id on payouts (vendor_id);
create unique index payouts_external_ref on payouts (external_ref);
create index payouts_next_attempt_at on payouts (next_attempt_at) where next_attempt_at is not null;

-- The vendors' accounts at the provider, made when the first payout needs one.
create table provider_accounts (
  provider   text not null,
  vendor_id  uuid not null,
  account_id text not null,
  created_at timestamptz not null default now(),
  primary key (provider, vendor_id)
);

create table chargebacks (
  external_ref text primary key,
  payment_id   uuid not null references payments (id),
  amount       bigint not null,
  currency     text not null,
  reason       text not null,
  status       text not null,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);
create index chargebacks_payment_id on chargebacks (payment_id);

-- Each notification of a provider once. Only what it is about is kept: the state itself is asked for.
create table webhook_events (
  provider        text not null,
  event_id        text not null,
  type            text not null,
  subject_kind    text not null,
  subject_id      text not null,
  status          text not null check (status in ('received', 'processed', 'ignored', 'failed')),
  attempts        integer not null default 1,
  next_attempt_at timestamptz,
  received_at     timestamptz not null default now(),
  processed_at    timestamptz,
  primary key (provider, event_id)
);
create index webhook_events_next_attempt_at on webhook_events (next_attempt_at) where next_attempt_at is not null;

-- How far the provider's own list of events has been read.
create table provider_cursors (
  provider text primary key,
  read_to  timestamptz not null
);

create table ledger_accounts (
  code       text primary key,
  vendor_id  uuid,
  created_at timestamptz not null default now()
);

create table ledger_transactions (
  id           uuid primary key,
  kind         text not null check (kind in ('sale', 'refund', 'payout', 'payout_reversal', 'adjustment', 'fee', 'chargeback')),
  -- What makes it happen once: "sale:<payment id>". A repeat finds the key and posts nothing.
  business_key text not null unique,
  reference    uuid not null,
  -- How many postings it has; the database refuses any other number.
  postings     integer not null check (postings >= 2),
  posted_at    timestamptz not null default now()
);
create index ledger_transactions_reference on ledger_transactions (reference);

create table ledger_postings (
  id              uuid primary key,
  transaction_id  uuid not null references ledger_transactions (id),
  account         text not null references ledger_accounts (code),
  currency        text not null check (currency ~ '^[A-Z]{3}$'),
  -- Debit positive, credit negative.
  amount          bigint not null check (amount <> 0),
  order_id        uuid,
  vendor_order_id uuid,
  vendor_id       uuid,
  posted_at       timestamptz not null default now()
);
create index ledger_postings_transaction_id on ledger_postings (transaction_id);
create index ledger_postings_account on ledger_postings (account, currency) include (amount);
create index ledger_postings_account_id on ledger_postings (account, id desc);
create index ledger_postings_order_id on ledger_postings (order_id) where order_id is not null;
create index ledger_postings_vendor_id on ledger_postings (vendor_id, id desc) where vendor_id is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger ledger_accounts_append_only before update or delete on ledger_accounts for each row execute function refuse_change();
create trigger ledger_transactions_append_only before update or delete on ledger_transactions for each row execute function refuse_change();
create trigger ledger_postings_append_only before update or delete on ledger_postings for each row execute function refuse_change();
create trigger ledger_accounts_no_truncate before truncate on ledger_accounts for each statement execute function refuse_change();
create trigger ledger_transactions_no_truncate before truncate on ledger_transactions for each statement execute function refuse_change();
create trigger ledger_postings_no_truncate before truncate on ledger_postings for each statement execute function refuse_change();

-- Runs when the database transaction commits: every ledger transaction has the postings it declares, and they sum to 0 in
-- each currency. A posting added later would break the declared number.
create function check_ledger_transaction() returns trigger language plpgsql as $$
declare
  subject  uuid := case tg_table_name when 'ledger_postings' then (to_jsonb(new) ->> 'transaction_id')::uuid else (to_jsonb(new) ->> 'id')::uuid end;
  declared integer;
  found    integer;
  uneven   text;
begin
  select postings into declared from ledger_transactions where id = subject;
  select count(*) into found from ledger_postings where transaction_id = subject;
  if found is distinct from declared then
    raise exception 'ledger transaction % declares % postings and has %', subject, declared, found
      using errcode = 'check_violation', constraint = 'ledger_transactions_complete';
  end if;
  select string_agg(currency, ',') into uneven
    from (select currency from ledger_postings where transaction_id = subject group by currency having sum(amount) <> 0) as sums;
  if uneven is not null then
    raise exception 'ledger transaction % does not sum to 0 in %', subject, uneven
      using errcode = 'check_violation', constraint = 'ledger_transactions_balanced';
  end if;
  return null;
end $$;
create constraint trigger ledger_transactions_balanced after insert on ledger_transactions
  deferrable initially deferred for each row execute function check_ledger_transaction();
create constraint trigger ledger_postings_balanced after insert on ledger_postings
  deferrable initially deferred for each row execute function check_ledger_transaction();

-- Answers of requests that must take effect once (see @haat/kit/idempotency); copied into a service's migration.
create table idempotency_keys (
  scope        text not null,               -- who and what: "<rpc>:<caller id>"
  key          text not null,
  request_hash text not null,
  resource_id  uuid not null,               -- the id the first attempt chose; a resumed attempt uses the same
  response     bytea,                       -- the encoded answer; null while in flight
  locked_until timestamptz not null,        -- an attempt that did not end by then may be taken over
  created_at   timestamptz not null default now(),
  primary key (scope, key)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);

-- Tables of the event machinery. Every PostgreSQL service that emits or handles events copies this file into its first
-- migration (migrations/0001_init.sql). Rows are written by emit() and on() inside the business transaction.

-- Events that are committed but not yet confirmed by the broker. Normally (almost) empty: the relay deletes what it published.
create table outbox (
  -- Publishing order and the envelope's aggregate.sequence. It grows per aggregate because a writer holds the aggregate's row
  -- while it emits; across aggregates ids may commit out of order, so nobody reads this table with a cursor.
  id bigint generated always as identity primary key,
  -- The id consumers recognise duplicates by.
  event_id uuid not null unique,
  -- Routing key: "order.paid".
  type text not null,
  aggregate_type text not null,
  aggregate_id text not null,
  -- The envelope as it goes on the wire, without aggregate.sequence.
  envelope jsonb not null,
  occurred_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0);

-- Which handler has already taken effect for which event; committed together with the handler's own writes. Rows are kept
-- for 14 days, longer than dead letters and replays are used, and then swept every hour.
create table inbox (
  -- The handler's queue name: "order.payment.succeeded".
  consumer text not null,
  event_id uuid not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
create index inbox_handled_at on inbox (handled_at);
