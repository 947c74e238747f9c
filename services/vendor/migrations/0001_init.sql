create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;

create table vendors (
  id                      uuid primary key,
  owner_user_id           uuid not null,
  name                    text not null,
  slug                    text not null constraint vendors_slug unique,
  description             text not null default '',
  logo_url                text not null default '',
  status                  text not null check (status in ('pending', 'active', 'suspended', 'rejected')),
  status_reason           text not null default '',
  support_email           text not null,
  support_phone           text not null default '',
  default_currency        text not null check (default_currency ~ '^[A-Z]{3}$'),
  ships_from_country      text not null,
  ships_from_postal_code  text not null default '',
  rating_avg              double precision not null default 0,
  rating_count            integer not null default 0,
  -- The review service's count of rating changes; the highest wins.
  rating_version          bigint not null default 0,
  -- The first approval.
  approved_at             timestamptz,
  -- When payouts got another destination; they rest for a while.
  bank_changed_at         timestamptz,
  created_at              timestamptz not null default now(),
  updated_at              timestamptz not null default now()
);
create index vendors_owner_user_id on vendors (owner_user_id);
create index vendors_status on vendors (status, id desc);

create table vendor_members (
  vendor_id   uuid not null references vendors (id),
  -- A person works for one vendor at most.
  user_id     uuid not null constraint vendor_members_user_id unique,
  is_owner    boolean not null default false,
  permissions text[] not null,
  email       text not null default '',
  added_at    timestamptz not null default now(),
  primary key (vendor_id, user_id)
);
create unique index vendor_members_one_owner on vendor_members (vendor_id) where is_owner;

create table vendor_status_history (
  id          uuid primary key,
  vendor_id   uuid not null references vendors (id),
  from_status text not null,
  to_status   text not null,
  reason      text not null,
  by_user_id  text not null,
  at          timestamptz not null default now()
);
create index vendor_status_history_vendor_id on vendor_status_history (vendor_id, id desc);
create trigger vendor_status_history_append_only before update or delete on vendor_status_history
  for each row execute function refuse_change();

create table vendor_kyc_docs (
  id           uuid primary key,
  vendor_id    uuid not null references vendors (id),
  doc_type     text not null,
  doc_url      text not null,
  file_name    text not null,
  content_type text not null,
  size_bytes   integer not null,
  status       text not null check (status in ('pending', 'accepted', 'rejected')),
  reason       text not null default '',
  reviewed_by  text,
  verified_at  timestamptz,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);
create index vendor_kyc_docs_vendor_id on vendor_kyc_docs (vendor_id, id desc);

-- Apart from the documents' data, so that no list ever reads it; gone when the person is forgotten.
create table vendor_kyc_contents (
  document_id uuid primary key references vendor_kyc_docs (id),
  content     bytea not null,
  key_version text not null
);
create index vendor_kyc_contents_key_version on vendor_kyc_contents (key_version);

create table vendor_bank_accounts (
  id             uuid primary key,
  vendor_id      uuid not null references vendors (id),
  account_holder text not null,
  -- One of the two, encrypted; neither once the owner is forgotten.
  account_no     bytea,
  iban           bytea,
  key_version    text not null,
  last4          text not null check (length(last4) <= 4),
  is_iban        boolean not null,
  bank_name      text not null,
  routing        text not null default '',
  country        text not null,
  is_default     boolean not null default false,
  -- Becomes the default when it is verified.
  make_default   boolean not null default false,
  status         text not null check (status in ('pending', 'verified', 'rejected')),
  reason         text not null default '',
  reviewed_by    text,
  verified_at    timestamptz,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint vendor_bank_accounts_one_number check (num_nonnulls(account_no, iban) <= 1),
  constraint vendor_bank_accounts_verified check ((status = 'verified') = (verified_at is not null))
);
create index vendor_bank_accounts_vendor_id on vendor_bank_accounts (vendor_id);
create unique index vendor_bank_accounts_one_default on vendor_bank_accounts (vendor_id) where is_default;
create index vendor_bank_accounts_key_version on vendor_bank_accounts (key_version) where num_nonnulls(account_no, iban) > 0;

-- Every list of rules there ever was, so that a sale's commission can be explained for ever.
create table commission_rule_sets (
  version    bigint primary key check (version > 0),
  created_by text not null,
  created_at timestamptz not null default now()
);
create trigger commission_rule_sets_append_only before update or delete on commission_rule_sets
  for each row execute function refuse_change();

create table commission_rules (
  id          uuid primary key,
  version     bigint not null references commission_rule_sets (version),
  position    integer not null check (position >= 0),
  scope       text not null check (scope in ('default', 'vendor', 'category', 'product')),
  ref_id      uuid,
  percent_bps integer not null check (percent_bps between 0 and 10000),
  -- Of the three amounts.
  currency    text,
  fixed       bigint check (fixed >= 0),
  min         bigint check (min >= 0),
  max         bigint check (max >= min),
  note        text not null default '',
  unique (version, position),
  check ((scope = 'default') = (ref_id is null)),
  check ((currency is null) = (num_nonnulls(fixed, min, max) = 0))
);
create trigger commission_rules_append_only before update or delete on commission_rules
  for each row execute function refuse_change();

-- What vendor knows of each vendor order. Every event handler locks this row first, so that order.paid, order.refunded and
-- vendor_order.delivered may come in any order and at once.
create table vendor_order_sales (
  vendor_order_id uuid primary key,
  vendor_id       uuid not null references vendors (id),
  order_id        uuid not null,
  order_no        text not null,
  -- The order's frozen vendor_net; null until order.paid came.
  net             bigint,
  currency        text,
  delivered_at    timestamptz,
  -- The end of the return window.
  eligible_at     timestamptz,
  -- Since when its earnings count for payouts.
  settled_at      timestamptz,
  updated_at      timestamptz not null default now(),
  check ((net is null) = (currency is null))
);
create index vendor_order_sales_due on vendor_order_sales (eligible_at) where settled_at is null and net is not null;

create table vendor_payouts (
  id              uuid primary key,
  vendor_id       uuid not null references vendors (id),
  amount          bigint not null check (amount > 0),
  currency        text not null,
  method          text not null,
  external_ref    text not null default '',
  status          text not null check (status in ('requested', 'processing', 'paid', 'failed', 'rejected')),
  reason          text not null default '',
  bank_account_id uuid not null references vendor_bank_accounts (id),
  bank_last4      text not null,
  requested_by    text not null,
  requested_at    timestamptz not null,
  decided_by      text,
  decided_at      timestamptz,
  paid_at         timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- Two people, whatever the code above says.
  constraint vendor_payouts_two_persons check (status = 'rejected' or decided_by is distinct from requested_by)
);
create index vendor_payouts_vendor_id on vendor_payouts (vendor_id, id desc);
create index vendor_payouts_status on vendor_payouts (status, id desc);
create unique index vendor_payouts_one_open on vendor_payouts (vendor_id, currency) where status in ('requested', 'processing');

create table vendor_earnings (
  id              uuid primary key,
  vendor_id       uuid not null references vendors (id),
  type            text not null check (type in ('sale', 'refund', 'adjustment', 'payout')),
  status          text not null check (status in ('pending', 'eligible', 'paid')),
  order_id        uuid,
  vendor_order_id uuid references vendor_order_sales (vendor_order_id),
  -- Null for delivery, payouts and adjustments.
  order_item_id   uuid,
  order_no        text not null default '',
  -- What caused the row: the order, the refund or the payout.
  reference       uuid not null,
  sku             text not null default '',
  title           text not null default '',
  quantity        integer not null default 0,
  gross           bigint not null,
  commission      bigint not null,
  fees            bigint not null default 0,
  net             bigint not null,
  currency        text not null,
  rule_id         uuid,
  rule_version    bigint,
  eligible_at     timestamptz,
  -- The open or paid payout that covers it; set and checked in one transaction, hence deferrable.
  payout_id       uuid references vendor_payouts (id) deferrable initially deferred,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  constraint vendor_earnings_net check (net = gross - commission - fees),
  constraint vendor_earnings_pending_unpaid check (status <> 'pending' or payout_id is null),
  constraint vendor_earnings_once unique nulls not distinct (type, reference, vendor_order_id, order_item_id)
);
create index vendor_earnings_vendor_id on vendor_earnings (vendor_id, id desc);
create index vendor_earnings_open on vendor_earnings (vendor_id, currency) include (net, status, payout_id) where status <> 'paid';
create index vendor_earnings_vendor_order_id on vendor_earnings (vendor_order_id);
create index vendor_earnings_order_id on vendor_earnings (order_id);
create index vendor_earnings_payout_id on vendor_earnings (payout_id) where payout_id is not null;

-- The money of a row never changes and no row goes away; only its status, rule and payout move.
create function guard_earning() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'vendor_earnings rows are kept';
  end if;
  if (new.id, new.vendor_id, new.type, new.reference, new.gross, new.commission, new.fees, new.net, new.currency)
     is distinct from (old.id, old.vendor_id, old.type, old.reference, old.gross, old.commission, old.fees, old.net, old.currency) then
    raise exception 'the money of vendor_earnings rows does not change';
  end if;
  return new;
end $$;
create trigger vendor_earnings_guard before update or delete on vendor_earnings for each row execute function guard_earning();

-- Which earnings a payout was made of; kept for rejected and failed ones too, so that each can be explained.
create table vendor_payout_earnings (
  payout_id  uuid not null references vendor_payouts (id) deferrable initially deferred,
  earning_id uuid not null references vendor_earnings (id),
  primary key (payout_id, earning_id)
);
create trigger vendor_payout_earnings_append_only before update or delete on vendor_payout_earnings
  for each row execute function refuse_change();

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
