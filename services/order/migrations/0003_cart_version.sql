-- Which version of the cart became the order: what was put into the cart afterwards stays there.
alter table orders add column cart_version bigint not null default 0;
