create table inventory (
  id                uuid primary key,
  sku               text not null unique,
  product_id        uuid not null,
  vendor_id         uuid not null,
  warehouse_id      text,
  quantity_on_hand  integer not null check (quantity_on_hand >= 0),
  quantity_reserved integer not null default 0 check (quantity_reserved >= 0),
  reorder_point     integer not null default 0 check (reorder_point >= 0),
  safety_stock      integer not null default 0 check (safety_stock >= 0),
  version           integer not null default 1,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  -- Whatever goes wrong above, more than there is can never be promised.
  constraint inventory_not_oversold check (quantity_reserved <= quantity_on_hand)
) with (fillfactor = 70);
create index inventory_vendor_id_sku on inventory (vendor_id, sku);
create index inventory_product_id on inventory (product_id);
create index inventory_low on inventory (vendor_id, sku) where quantity_on_hand - quantity_reserved <= reorder_point;

create table reservations (
  order_id   uuid not null,
  sku        text not null references inventory (sku),
  qty        integer not null check (qty > 0),
  state      text not null check (state in ('held', 'committed', 'released', 'expired')),
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (order_id, sku)
);
create index reservations_expires_at on reservations (expires_at) where state = 'held';
create index reservations_held_sku on reservations (sku) where state = 'held';

-- Append-only: quantity_on_hand is always the sum of a SKU's deltas.
create table stock_movements (
  id            uuid primary key,
  sku           text not null references inventory (sku),
  vendor_id     uuid not null,
  kind          text not null check (kind in ('count', 'adjust', 'sale', 'restock')),
  delta         integer not null,
  on_hand_after integer not null check (on_hand_after >= 0),
  reason        text not null default '',
  reference     uuid,
  note          text not null default '',
  by_user_id    uuid,
  at            timestamptz not null default now()
);
create index stock_movements_sku on stock_movements (sku, id desc);
create index stock_movements_vendor_id on stock_movements (vendor_id, id desc);
create index stock_movements_reference on stock_movements (reference) where reference is not null;
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger stock_movements_append_only before update or delete on stock_movements for each row execute function refuse_change();

-- One row per reason for which goods went back on the shelf.
create table restocks (
  reference uuid primary key,
  order_id  uuid not null,
  lines     text not null,
  at        timestamptz not null default now()
);

create table adjustment_keys (
  vendor_id    uuid not null,
  key          text not null,
  request_hash text not null,
  at           timestamptz not null default now(),
  primary key (vendor_id, key)
);

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
