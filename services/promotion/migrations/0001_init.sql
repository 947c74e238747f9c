create table coupons (
  id               uuid primary key,
  code             text not null unique check (code = upper(code)),
  description      text not null default '',
  type             text not null check (type in ('percent', 'fixed', 'free_shipping')),
  -- Basis points (percent), minor units (fixed) or 0 (free_shipping).
  value            bigint not null,
  -- Of every amount below and of a fixed value; null: the coupon has no amounts and fits any currency.
  currency         char(3),
  min_order_amount bigint check (min_order_amount > 0),
  max_discount     bigint check (max_discount > 0),
  starts_at        timestamptz,
  ends_at          timestamptz,
  usage_limit      integer check (usage_limit > 0),
  per_user_limit   integer check (per_user_limit > 0),
  funded_by        text not null check (funded_by in ('platform', 'vendor')),
  vendor_id        uuid,
  stackable        boolean not null,
  is_active        boolean not null,
  -- Counters of the usages in these states; a usage and its counter change in one transaction.
  held_count       integer not null default 0 check (held_count >= 0),
  redeemed_count   integer not null default 0 check (redeemed_count >= 0),
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint coupons_value check (
    case type when 'percent' then value between 1 and 10000 when 'fixed' then value > 0 else value = 0 end
  ),
  constraint coupons_currency check (
    currency is not null or (type <> 'fixed' and min_order_amount is null and max_discount is null)
  ),
  constraint coupons_window check (ends_at > starts_at),
  constraint coupons_funding check ((funded_by = 'vendor') = (vendor_id is not null))
) with (fillfactor = 70);
create index coupons_vendor_id on coupons (vendor_id, id desc);

create table coupon_scopes (
  id         uuid primary key,
  coupon_id  uuid not null references coupons (id) on delete cascade,
  scope_type text not null check (scope_type in ('vendor', 'category', 'product', 'user')),
  ref_id     uuid not null
);
create unique index coupon_scopes_coupon_id on coupon_scopes (coupon_id, scope_type, ref_id);

create table coupon_usages (
  id             uuid primary key,
  coupon_id      uuid not null references coupons (id),
  user_id        uuid not null,
  order_id       uuid not null,
  state          text not null check (state in ('held', 'redeemed', 'released')),
  discount       bigint not null check (discount >= 0),
  currency       char(3) not null,
  expires_at     timestamptz not null,
  used_at        timestamptz,
  -- Sequence of the last order event applied, so that an older one that comes late changes nothing.
  order_sequence bigint not null default 0,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint coupon_usages_once_per_order unique (order_id, coupon_id)
);
create index coupon_usages_coupon_id on coupon_usages (coupon_id);
create index coupon_usages_user_id on coupon_usages (user_id);
create index coupon_usages_expires_at on coupon_usages (expires_at) where state = 'held';

-- How many held and redeemed usages a person has of a coupon: what per_user_limit is checked against.
create table coupon_user_counts (
  coupon_id uuid not null references coupons (id) on delete cascade,
  user_id   uuid not null,
  uses      integer not null check (uses >= 0),
  primary key (coupon_id, user_id)
) with (fillfactor = 70);

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
