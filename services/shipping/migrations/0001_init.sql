create table rate_tables (
  id            uuid primary key,
  -- Null: the platform's.
  vendor_id     uuid,
  code          text not null,
  label         text not null,
  carrier       text not null,
  service_level text not null,
  basis         text not null check (basis in ('flat', 'by_weight', 'by_total')),
  countries     text[] not null check (cardinality(countries) > 0),
  currency      char(3) not null,
  -- [{ "upTo": "1000", "amount": "6000" }, …]: integers as text, so that no reader makes floats of them.
  brackets      jsonb not null,
  free_from     bigint check (free_from >= 0),
  min_days      integer not null check (min_days >= 0),
  max_days      integer not null,
  is_active     boolean not null,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  constraint rate_tables_days check (max_days >= min_days),
  constraint rate_tables_code unique nulls not distinct (vendor_id, code)
);

-- One row. Its number rises with every change of a rate table, in the same transaction, and outdates all cached rates.
create table rate_revision (
  one      boolean primary key default true check (one),
  revision bigint not null
);
insert into rate_revision (revision) values (1);

create table rates_cache (
  id            uuid primary key,
  hash          text not null unique,
  request_json  jsonb not null,
  response_json jsonb not null,
  revision      bigint not null,
  expires_at    timestamptz not null
);
create index rates_cache_expires_at on rates_cache (expires_at);

-- What order told about the parts it sold: enough to make a label without asking anybody.
create table vendor_orders (
  vendor_order_id uuid primary key,
  vendor_id       uuid not null,
  order_id        uuid not null,
  order_no        text not null,
  user_id         uuid not null,
  -- Null once the person is forgotten.
  ship_to         jsonb,
  items           jsonb not null,
  carrier         text not null,
  service_level   text not null,
  state           text not null check (state in ('accepted', 'cancelled')),
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now()
);
create index vendor_orders_user_id on vendor_orders (user_id);

-- A label that is being made at a carrier. The id is the shipment's and the carrier's reference of it, so that an attempt
-- that was cut off is resumed and never bought twice.
create table label_attempts (
  vendor_order_id uuid primary key references vendor_orders,
  shipment_id     uuid not null,
  carrier         text not null,
  service_level   text not null,
  weight_grams    integer not null,
  locked_until    timestamptz not null,
  created_at      timestamptz not null default now()
);

create table shipments (
  id              uuid primary key,
  vendor_order_id uuid not null unique references vendor_orders,
  order_id        uuid not null,
  order_no        text not null,
  vendor_id       uuid not null,
  carrier         text not null,
  service_level   text not null,
  tracking_no     text not null,
  label_url       text not null default '',
  status          text not null check (status in ('label_created', 'in_transit', 'delivered', 'exception')),
  weight_grams    integer not null check (weight_grams >= 0),
  ship_to         jsonb,
  -- Time of the scan that decided the status; null before the first one.
  status_at       timestamptz,
  shipped_at      timestamptz,
  delivered_at    timestamptz,
  -- When the carrier took the unused label back.
  voided_at       timestamptz,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  constraint shipments_tracking_no unique (tracking_no, carrier)
);
create index shipments_order_id on shipments (order_id);
create index shipments_vendor_id on shipments (vendor_id, id desc);
create index shipments_open on shipments (carrier, id) where status <> 'delivered';

create table shipment_items (
  shipment_id   uuid not null references shipments,
  order_item_id uuid not null,
  sku           text not null,
  title         text not null,
  qty           integer not null check (qty > 0),
  primary key (shipment_id, order_item_id)
);

-- Which notifications of a carrier were taken.
create table carrier_events (
  carrier     text not null,
  event_id    text not null,
  received_at timestamptz not null default now(),
  primary key (carrier, event_id)
);

-- Append-only: the status of a shipment follows from its scans.
create table tracking_events (
  id          uuid primary key,
  shipment_id uuid not null references shipments,
  -- The carrier's id of the scan.
  scan_id     text not null,
  status      text not null check (status in ('label_created', 'in_transit', 'delivered', 'exception')),
  description text not null,
  location    text not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  unique (shipment_id, scan_id)
);
create index tracking_events_shipment_id on tracking_events (shipment_id, occurred_at);
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger tracking_events_append_only before update or delete on tracking_events for each row execute function refuse_change();

-- People who have left: an event about them that comes late is stored without its personal data.
create table forgotten_users (
  user_id      uuid primary key,
  forgotten_at timestamptz not null
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
