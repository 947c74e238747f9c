-- What a sale writes in the marketplace's services, in one small database.
create table stock (
  sku      integer primary key,
  on_hand  integer not null,
  reserved integer not null default 0,
  check (reserved between 0 and on_hand)
);
insert into stock (sku, on_hand) select sku, 100000000 from generate_series(1, 10000) as sku;
create table stock_movements (id bigserial primary key, sku integer not null references stock, delta integer not null, at timestamptz not null default now());
create table orders (
  id         bigserial primary key,
  user_id    integer not null,
  email      text not null,
  status     text not null,
  total      bigint not null,
  address    jsonb not null,
  created_at timestamptz not null default now(),
  paid_at    timestamptz
);
create index orders_user_id on orders (user_id, id desc);
create table vendor_orders (id bigserial primary key, order_id bigint not null references orders, vendor_id integer not null, total bigint not null, commission bigint not null);
create index vendor_orders_vendor_id on vendor_orders (vendor_id, id desc);
create table order_items (
  id              bigserial primary key,
  order_id        bigint not null references orders,
  vendor_order_id bigint not null references vendor_orders,
  sku             integer not null,
  title           text not null,
  qty             integer not null,
  price           bigint not null,
  tax             bigint not null
);
create index order_items_order_id on order_items (order_id);
create table payments (id bigserial primary key, order_id bigint not null unique references orders, intent_id text not null unique, amount bigint not null, status text not null);
create table ledger_transactions (id bigserial primary key, business_key text not null unique);
create table ledger_postings (id bigserial primary key, transaction_id bigint not null references ledger_transactions, account text not null, amount bigint not null);
create index ledger_postings_account on ledger_postings (account) include (amount);
create table earnings (id bigserial primary key, vendor_id integer not null, vendor_order_id bigint not null references vendor_orders, net bigint not null);
create index earnings_vendor_id on earnings (vendor_id, id desc);
