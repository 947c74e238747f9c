-- All amounts are minor units of the order's currency.
create table orders (
  id                 uuid primary key,
  order_no           text not null,
  user_id            uuid not null,
  email              text not null,
  status             text not null default 'unfulfilled' check (status in ('unfulfilled', 'processing', 'shipped', 'delivered', 'cancelled', 'returned')),
  payment_status     text not null default 'pending' check (payment_status in ('pending', 'paid', 'failed', 'refunded', 'partial')),
  currency           text not null check (currency ~ '^[A-Z]{3}$'),
  subtotal           bigint not null check (subtotal >= 0),
  discount           bigint not null check (discount >= 0),
  shipping           bigint not null check (shipping >= 0),
  tax                bigint not null check (tax >= 0),
  total              bigint not null check (total >= 0),
  refunded           bigint not null default 0,
  prices_include_tax boolean not null,
  shipping_method    text not null,
  coupon_codes       text[] not null,
  cart_id            text not null,
  intent_id          text not null default '',
  cancel_reason      text,
  -- Null while the checkout is under way: nobody sees the order yet.
  placed_at          timestamptz,
  pay_by             timestamptz,
  paid_at            timestamptz,
  delivered_at       timestamptz,
  cancelled_at       timestamptz,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  constraint orders_add_up check (total = subtotal + shipping - discount + case when prices_include_tax then 0 else tax end),
  constraint orders_refunded_within check (refunded between 0 and total)
);
create unique index orders_order_no on orders (order_no text_pattern_ops);
create index orders_user_id on orders (user_id, id desc) where placed_at is not null;
create index orders_newest on orders (id desc) where placed_at is not null;
create index orders_email on orders (lower(email)) where placed_at is not null;
create index orders_pay_by on orders (pay_by) where payment_status = 'pending';

create table vendor_orders (
  id                       uuid primary key,
  order_id                 uuid not null references orders (id),
  order_no                 text not null,
  vendor_id                uuid not null,
  status                   text not null default 'awaiting_payment' check (status in ('awaiting_payment', 'pending', 'accepted', 'shipped', 'delivered', 'cancelled')),
  currency                 text not null,
  prices_include_tax       boolean not null,
  -- Goods before discounts.
  subtotal                 bigint not null check (subtotal >= 0),
  -- Of goods and delivery together.
  vendor_funded_discount   bigint not null check (vendor_funded_discount >= 0),
  platform_funded_discount bigint not null check (platform_funded_discount >= 0),
  tax                      bigint not null check (tax >= 0),
  commission               bigint not null check (commission >= 0),
  total                    bigint not null check (total >= 0),
  refunded                 bigint not null default 0,
  -- The delivery charge.
  option_id                text not null,
  option_label             text not null,
  option_carrier           text not null,
  service_level            text not null,
  min_days                 integer not null,
  max_days                 integer not null,
  shipping                 bigint not null check (shipping >= 0),
  shipping_vendor_funded   bigint not null check (shipping_vendor_funded >= 0),
  shipping_platform_funded bigint not null check (shipping_platform_funded >= 0),
  shipping_tax             bigint not null check (shipping_tax >= 0),
  shipping_tax_bps         integer not null,
  shipping_refunded        boolean not null default false,
  -- Who carries it in fact.
  carrier                  text not null,
  tracking_no              text not null default '',
  cancel_reason            text,
  placed_at                timestamptz,
  paid_at                  timestamptz,
  accept_by                timestamptz,
  accepted_at              timestamptz,
  shipped_at               timestamptz,
  delivered_at             timestamptz,
  cancelled_at             timestamptz,
  created_at               timestamptz not null default now(),
  updated_at               timestamptz not null default now(),
  unique (order_id, vendor_id),
  constraint vendor_orders_add_up check (
    total = subtotal + shipping - vendor_funded_discount - platform_funded_discount + case when prices_include_tax then 0 else tax end
  ),
  constraint vendor_orders_refunded_within check (refunded between 0 and total)
);
create index vendor_orders_vendor_id on vendor_orders (vendor_id, id desc) where placed_at is not null;
create index vendor_orders_newest on vendor_orders (id desc) where placed_at is not null;
create index vendor_orders_order_no on vendor_orders (order_no text_pattern_ops);

create table order_items (
  id                       uuid primary key,
  order_id                 uuid not null references orders (id),
  vendor_order_id          uuid not null references vendor_orders (id),
  vendor_id                uuid not null,
  product_id               uuid not null,
  sku                      text not null,
  title                    text not null,
  image                    text not null,
  option_values            jsonb not null,
  price                    bigint not null check (price >= 0),
  qty                      integer not null check (qty > 0),
  subtotal                 bigint not null,
  vendor_funded_discount   bigint not null check (vendor_funded_discount >= 0),
  platform_funded_discount bigint not null check (platform_funded_discount >= 0),
  tax                      bigint not null check (tax >= 0),
  tax_class                text not null,
  tax_bps                  integer not null,
  total                    bigint not null check (total >= 0),
  commission               bigint not null check (commission >= 0),
  commission_rule_id       text not null,
  commission_rule_version  bigint not null,
  weight_grams             integer not null,
  category_ids             text[] not null,
  refunded_qty             integer not null default 0,
  refunded_amount          bigint not null default 0,
  unique (order_id, sku),
  constraint order_items_subtotal check (subtotal = price * qty),
  constraint order_items_refunded_within check (refunded_qty between 0 and qty and refunded_amount between 0 and total)
);
create index order_items_order_id on order_items (order_id);
create index order_items_vendor_id on order_items (vendor_id);
create index order_items_vendor_order_id on order_items (vendor_order_id);
create index order_items_product_id on order_items (product_id, order_id);

-- What was agreed at the moment of sale never changes afterwards.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is frozen at the moment of sale', tg_table_name;
end $$;
create trigger orders_frozen before update of order_no, user_id, currency, subtotal, discount, shipping, tax, total, prices_include_tax, coupon_codes
  on orders for each row execute function refuse_change();
create trigger vendor_orders_frozen before update of order_id, vendor_id, subtotal, vendor_funded_discount, platform_funded_discount, tax, commission, total,
    option_id, shipping, shipping_vendor_funded, shipping_platform_funded, shipping_tax
  on vendor_orders for each row execute function refuse_change();
create trigger order_items_frozen before update of order_id, vendor_order_id, vendor_id, product_id, sku, price, qty, subtotal, vendor_funded_discount,
    platform_funded_discount, tax, total, commission, commission_rule_id, commission_rule_version
  on order_items for each row execute function refuse_change();

create table order_addresses (
  order_id      uuid primary key references orders (id),
  shipping_json jsonb not null,
  billing_json  jsonb not null
);

-- Append-only; only a note can be blanked, when its author is forgotten.
create table order_timeline (
  id              uuid primary key,
  seq             bigint generated always as identity,
  order_id        uuid not null references orders (id),
  vendor_order_id uuid references vendor_orders (id),
  event           text not null,
  note            text not null default '',
  at              timestamptz not null,
  by_user_id      uuid
);
create index order_timeline_order_id on order_timeline (order_id, seq);
create index order_timeline_by_user_id on order_timeline (by_user_id) where by_user_id is not null and note <> '';
create function guard_timeline() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.note = '' then
    new.id := old.id; new.order_id := old.order_id; new.vendor_order_id := old.vendor_order_id;
    new.event := old.event; new.at := old.at; new.by_user_id := old.by_user_id;
    return new;
  end if;
  raise exception 'order_timeline is append-only';
end $$;
create trigger order_timeline_append_only before update or delete on order_timeline for each row execute function guard_timeline();

-- The saga: one row per attempt to turn a cart into a paid order. The states are in src/domain/checkout-state.ts.
create table checkouts (
  order_id        uuid primary key references orders (id),
  user_id         uuid not null,
  idempotency_key text not null,
  request_hash    text not null,
  provider        text not null,
  coupons         jsonb not null,
  state           text not null default 'open' check (state in ('open', 'releasing', 'payable', 'cancelling', 'paid', 'cancelled', 'failed')),
  -- The last thing held: what a person who looks at a stuck checkout wants to know.
  step            text not null default 'drafted' check (step in ('drafted', 'reserved', 'coupons_held', 'placed', 'committed')),
  -- When the recovery job takes it over, unless somebody works on it.
  recover_at      timestamptz not null,
  attempts        integer not null default 0,
  last_error      text not null default '',
  -- Why and by whom a cancellation was asked for.
  cancel_reason   text,
  cancel_note     text not null default '',
  cancel_by       uuid,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);
create unique index checkouts_key on checkouts (user_id, idempotency_key) where state not in ('releasing', 'failed');
create index checkouts_recover_at on checkouts (recover_at) where state in ('open', 'releasing', 'cancelling');

create table refunds (
  id              uuid primary key,
  order_id        uuid not null references orders (id),
  -- `sale`: of sold lines; `unsold`: of a payment that became no sale; `payment`: made by staff at payment.
  kind            text not null check (kind in ('sale', 'unsold', 'payment')),
  amount          bigint not null check (amount >= 0),
  currency        text not null,
  reason          text not null,
  by_user_id      uuid,
  -- The way to the provider.
  state           text not null check (state in ('pending', 'accepted', 'paid', 'failed')),
  restock         text not null default 'none' check (restock in ('none', 'pending', 'done', 'failed')),
  restock_reason  text not null default 'refunded',
  attempts        integer not null default 0,
  next_attempt_at timestamptz not null,
  last_error      text not null default '',
  -- Set for refunds that were asked for with a key.
  key_scope       text,
  idempotency_key text,
  request_hash    text,
  created_at      timestamptz not null,
  paid_at         timestamptz
);
create index refunds_order_id on refunds (order_id);
create unique index refunds_key on refunds (key_scope, idempotency_key) where idempotency_key is not null;
create unique index refunds_unsold on refunds (order_id) where kind = 'unsold';
create index refunds_due on refunds (next_attempt_at) where state = 'pending' or restock = 'pending';

create table refund_parts (
  refund_id                uuid not null references refunds (id),
  vendor_order_id          uuid not null references vendor_orders (id),
  vendor_id                uuid not null,
  shipping                 bigint not null,
  shipping_vendor_funded   bigint not null,
  shipping_platform_funded bigint not null,
  shipping_tax             bigint not null,
  amount                   bigint not null check (amount >= 0),
  restocked                boolean not null,
  primary key (refund_id, vendor_order_id)
);
create index refund_parts_vendor_order_id on refund_parts (vendor_order_id);

create table refund_lines (
  refund_id                uuid not null references refunds (id),
  order_item_id            uuid not null references order_items (id),
  vendor_order_id          uuid not null,
  product_id               uuid not null,
  sku                      text not null,
  qty                      integer not null check (qty > 0),
  subtotal                 bigint not null,
  vendor_funded_discount   bigint not null,
  platform_funded_discount bigint not null,
  tax                      bigint not null,
  commission               bigint not null,
  amount                   bigint not null check (amount >= 0),
  primary key (refund_id, order_item_id)
);

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
