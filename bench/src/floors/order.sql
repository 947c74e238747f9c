\set one random(1, 5000)
\set two random(5001, 10000)
\set customer random(1, 10000)
begin;
update stock set on_hand = on_hand - 1 where sku = :one and on_hand - reserved >= 1;
update stock set on_hand = on_hand - 2 where sku = :two and on_hand - reserved >= 2;
insert into stock_movements (sku, delta) values (:one, -1), (:two, -2);
insert into orders (user_id, email, status, total, address, paid_at) values (:customer, 'somebody@example.com', 'paid', 95050, '{"name": "Somebody", "line1": "12 Green Road", "city": "Dhaka", "postalCode": "1205", "country": "BD"}', now());
insert into vendor_orders (order_id, vendor_id, total, commission) values (currval('orders_id_seq'), :one % 20, 30000, 3000);
insert into order_items (order_id, vendor_order_id, sku, title, qty, price, tax) values (currval('orders_id_seq'), currval('vendor_orders_id_seq'), :one, 'Something', 1, 30000, 3913);
insert into earnings (vendor_id, vendor_order_id, net) values (:one % 20, currval('vendor_orders_id_seq'), 24087);
insert into vendor_orders (order_id, vendor_id, total, commission) values (currval('orders_id_seq'), :two % 20, 65050, 6505);
insert into order_items (order_id, vendor_order_id, sku, title, qty, price, tax) values (currval('orders_id_seq'), currval('vendor_orders_id_seq'), :two, 'Something else', 2, 32525, 8485);
insert into earnings (vendor_id, vendor_order_id, net) values (:two % 20, currval('vendor_orders_id_seq'), 49060);
insert into payments (order_id, intent_id, amount, status) values (currval('orders_id_seq'), 'pi_' || currval('orders_id_seq'), 95050, 'succeeded');
insert into ledger_transactions (business_key) values ('sale:' || currval('orders_id_seq'));
insert into ledger_postings (transaction_id, account, amount) values (currval('ledger_transactions_id_seq'), 'clearing', 95050), (currval('ledger_transactions_id_seq'), 'tax', -12398), (currval('ledger_transactions_id_seq'), 'commission', -9505), (currval('ledger_transactions_id_seq'), 'vendor:' || :one % 20, -24087), (currval('ledger_transactions_id_seq'), 'vendor:' || :two % 20, -49060);
commit;
