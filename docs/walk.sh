#!/usr/bin/env bash
# The purchase loop with curl, against a running `npm start`: two vendors from their application to a payout, one customer from
# a guest's cart to a review. Every line is a request you may send by hand. Needs bash, curl and node.
set -euo pipefail
SHOP=${SHOP:-http://127.0.0.1:3001}/v1
VENDOR=${VENDOR:-http://127.0.0.1:3002}/v1
ADMIN=${ADMIN:-http://127.0.0.1:3003}/v1
MAILBOX=${MAILBOX:-http://127.0.0.1:8302}
STRIPE=${STRIPE:-http://127.0.0.1:12111}
RUN=$(date +%s)
PASSWORD=correct-horse-battery

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# send METHOD URL TOKEN [JSON] [more of curl]: answers the body, ends the walk when it is refused.
send() {
  local method=$1 url=$2 token=$3 body=${4:-}
  shift $(($# < 4 ? $# : 4))
  curl -sS --fail-with-body -X "$method" "$url" ${token:+-H "authorization: Bearer $token"} \
    ${body:+-H 'content-type: application/json' -d "$body"} "$@" || { echo "  ← $method $url" >&2; exit 1; }
}
# pick EXPRESSION: a part of the JSON on standard input, `_` being the whole.
pick() {
  node -e 'const _ = JSON.parse(require("fs").readFileSync(0, "utf8")); const v = eval(process.argv[1])
    console.log(typeof v === "string" ? v : JSON.stringify(v))' "$1"
}
# until EXPRESSION METHOD URL TOKEN: asks again until the expression holds, for a minute at most.
until_holds() {
  local expression=$1
  shift
  for _ in $(seq 120); do
    [ "$(send "$@" | pick "$expression")" = true ] && return
    sleep 0.5
  done
  echo "still not so after a minute: $expression of $2" >&2
  exit 1
}
login() { send POST "$1/auth/login" '' "{\"email\":\"$2\",\"password\":\"$3\",\"session\":\"token\"}" | pick _.accessToken; }

say '1. The staff sign in, and make a category and a coupon'
STAFF=$(login "$ADMIN" admin@haat.example sesame-opens-4-staff)
CATEGORY=$(send POST "$ADMIN/admin/categories" "$STAFF" "{\"name\":\"Walk $RUN\"}" | pick _.id)
send POST "$ADMIN/admin/coupons" "$STAFF" "{\"code\":\"WALK$RUN\",\"description\":\"Ten percent\",\"type\":\"percent\",\"percentBps\":1000,\"fundedBy\":\"platform\",\"isActive\":true}" | pick '_.code'

# open_shop NAME: registers, applies, hands in papers and a bank account; the staff approve. Sets SELLER, SHOP_ID and MAIL.
open_shop() {
  MAIL="$1.$RUN@example.com"
  SELLER=$(send POST "$SHOP/auth/register" '' "{\"email\":\"$MAIL\",\"password\":\"$PASSWORD\",\"name\":\"Karim Uddin\",\"session\":\"token\"}" | pick _.accessToken)
  SHOP_ID=$(send POST "$SHOP/vendors/apply" "$SELLER" "{\"name\":\"$1 $RUN\",\"description\":\"$1 sells here.\",\"supportEmail\":\"$MAIL\",\"defaultCurrency\":\"BDT\",\"shipsFrom\":{\"country\":\"BD\",\"postalCode\":\"1207\"}}" | pick _.id)
  for document in national_id trade_license; do
    printf '%%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n' |
      send POST "$VENDOR/vendors/$SHOP_ID/kyc?docType=$document&fileName=$document.pdf" "$SELLER" '' -H 'content-type: application/pdf' --data-binary @- >/dev/null
  done
  send POST "$VENDOR/vendors/$SHOP_ID/bank" "$SELLER" '{"accountHolder":"Karim Uddin","accountNo":"0123456789012","bankName":"Demo Bank","routing":"011000015","country":"BD"}' | pick '"bank account ending in " + _.last4'
  local page
  page=$(send GET "$ADMIN/admin/vendors/$SHOP_ID" "$STAFF")
  for id in $(pick '_.documents.map((d) => d.id).join(" ")' <<<"$page"); do
    send POST "$ADMIN/admin/kyc/$id/review" "$STAFF" '{"decision":"accepted"}' >/dev/null
  done
  for id in $(pick '_.bankAccounts.map((b) => b.id).join(" ")' <<<"$page"); do
    send POST "$ADMIN/admin/bank-accounts/$id/verify" "$STAFF" '{"verified":true}' >/dev/null
  done
  send PATCH "$ADMIN/admin/vendors/$SHOP_ID/status" "$STAFF" '{"status":"active","reason":"all in order"}' >/dev/null
  # The token names the vendor once the approval has gone round.
  for _ in $(seq 120); do
    SELLER=$(login "$VENDOR" "$MAIL" "$PASSWORD")
    curl -sf "$VENDOR/vendors/$SHOP_ID/products" -H "authorization: Bearer $SELLER" >/dev/null && break
    sleep 0.5
  done
}

# offer TITLE VARIANTS SKU…: uploads a picture, writes the product, has it approved and counts its stock. Sets PRODUCT and SLUG.
offer() {
  local title=$1 variants=$2 options=$3 upload image
  shift 3
  node -e 'const z = require("zlib"), n = 400, row = Buffer.concat([Buffer.from([0]), Buffer.alloc(3 * n, 120)])
    const chunk = (type, data) => { const b = Buffer.concat([Buffer.from(type), data]), l = Buffer.alloc(4), c = Buffer.alloc(4)
      l.writeUInt32BE(data.length); c.writeUInt32BE(z.crc32(b)); return Buffer.concat([l, b, c]) }
    const head = Buffer.alloc(13); head.writeUInt32BE(n, 0); head.writeUInt32BE(n, 4); head.set([8, 2, 0, 0, 0], 8)
    process.stdout.write(Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", head),
      chunk("IDAT", z.deflateSync(Buffer.concat(Array(n).fill(row)))), chunk("IEND", Buffer.alloc(0))]))' >"$PICTURE"
  upload=$(send POST "$VENDOR/vendors/$SHOP_ID/uploads" "$SELLER" "{\"purpose\":\"product\",\"fileName\":\"picture.png\",\"contentType\":\"image/png\",\"sizeBytes\":$(wc -c <"$PICTURE")}")
  send "$(pick _.method <<<"$upload")" "$(pick _.url <<<"$upload")" '' '' -H 'content-type: image/png' --data-binary "@$PICTURE" >/dev/null
  image=$(send POST "$VENDOR/vendors/$SHOP_ID/uploads/$(pick _.uploadId <<<"$upload")/complete" "$SELLER" | pick _.id)
  read -r PRODUCT SLUG < <(send POST "$VENDOR/vendors/$SHOP_ID/products" "$SELLER" "{\"content\":{\"title\":\"$title\",\"description\":\"$title, straight from the maker.\",\"categoryIds\":[\"$CATEGORY\"],\"images\":[{\"imageId\":\"$image\",\"alt\":\"$title\"}],\"options\":$options,\"attributes\":{},\"variants\":$variants}}" | pick '_.id + " " + _.slug')
  send POST "$VENDOR/vendors/$SHOP_ID/products/$PRODUCT/submit" "$SELLER" >/dev/null
  send PATCH "$ADMIN/admin/products/$PRODUCT/approve" "$STAFF" '{}' >/dev/null
  for sku in "$@"; do
    send PATCH "$VENDOR/vendors/$SHOP_ID/inventory/$sku" "$SELLER" "{\"productId\":\"$PRODUCT\",\"onHand\":20,\"reorderPoint\":5}" | pick '_.sku + ": " + _.onHand + " on hand"'
  done
}
variant() { printf '{"sku":"%s","price":{"currency":"BDT","minor":%s},"optionValues":%s,"weightGrams":300,"taxClass":"standard","isActive":true}' "$1" "$2" "$3"; }
PICTURE=$(mktemp)
trap 'rm -f "$PICTURE"' EXIT

say '2. Two vendors apply, hand in papers, are approved, and put products with variants and a picture on their shelves'
open_shop leaf
LEAF=$SELLER LEAF_ID=$SHOP_ID LEAF_MAIL=$MAIL
offer 'Green Tea' "[$(variant "T$RUN-100" 30000 '{"Size":"100 g"}'),$(variant "T$RUN-250" 65000 '{"Size":"250 g"}')]" '[{"name":"Size","values":["100 g","250 g"]}]' "T$RUN-100" "T$RUN-250"
TEA=$PRODUCT TEA_SLUG=$SLUG
open_shop cup
CUP=$SELLER CUP_ID=$SHOP_ID
offer 'Clay Mug' "[$(variant "M$RUN" 45050 '{}')]" '[]' "M$RUN"

say '3. A guest fills a cart, opens an account, and finds the cart again'
until_holds "_.stock['T$RUN-100'] === 20" GET "$SHOP/products/$TEA_SLUG" ''
CART=$(send POST "$SHOP/cart/items" '' "{\"sku\":\"T$RUN-100\",\"qty\":3}" | pick _.cartToken)
send POST "$SHOP/cart/items" '' "{\"sku\":\"M$RUN\",\"qty\":2}" -H "x-cart-token: $CART" >/dev/null
BUYER_MAIL="rahima.$RUN@example.com"
BUYER=$(send POST "$SHOP/auth/register" '' "{\"email\":\"$BUYER_MAIL\",\"password\":\"$PASSWORD\",\"name\":\"Rahima Khatun\",\"session\":\"token\"}" -H "x-cart-token: $CART" | pick _.accessToken)
send POST "$SHOP/cart/apply-coupon" "$BUYER" "{\"code\":\"WALK$RUN\"}" | pick '_.items.map((i) => i.qty + " × " + i.sku)'

say '4. A summary with the deliveries of two vendors, and the order'
SUMMARY=$(send POST "$SHOP/checkout/summary" "$BUYER" '{"destination":{"country":"BD","postalCode":"1205"}}')
DELIVERIES=$(pick '_.groups.map((g) => ({ vendorId: g.vendorId, optionId: g.deliveryOptions[0].optionId }))' <<<"$SUMMARY")
SUMMARY=$(send POST "$SHOP/checkout/summary" "$BUYER" "{\"destination\":{\"country\":\"BD\",\"postalCode\":\"1205\"},\"deliveries\":$DELIVERIES}")
pick _.totals <<<"$SUMMARY"
ORDER=$(send POST "$SHOP/orders" "$BUYER" "{\"shippingAddress\":{\"name\":\"Rahima Khatun\",\"line1\":\"12 Green Road\",\"city\":\"Dhaka\",\"postalCode\":\"1205\",\"country\":\"BD\"},\"deliveries\":$DELIVERIES,\"paymentProvider\":\"stripe\",\"email\":\"$BUYER_MAIL\",\"expectedTotal\":$(pick _.totals.total <<<"$SUMMARY")}" -H "idempotency-key: walk-$RUN")
NO=$(pick _.order.orderNo <<<"$ORDER")
echo "$NO"

say '5. Paid at Stripe (the emulator); its webhook makes the order paid'
send POST "$STRIPE/_emulator/pay/$(pick _.payment.intentId <<<"$ORDER")?client_secret=$(pick _.payment.clientSecret <<<"$ORDER")" '' '' -H 'accept: application/json' -d action=pay | pick _.status
until_holds '_.order.paymentStatus === "paid"' GET "$SHOP/orders/$NO" "$BUYER"
echo paid

# fulfil TOKEN VENDOR: accepts the vendor's part of the order, labels it, ships it, delivers it.
fulfil() {
  until_holds '_.items.length === 1' GET "$VENDOR/vendors/$2/orders" "$1"
  local id label parcel
  id=$(send GET "$VENDOR/vendors/$2/orders" "$1" | pick '_.items[0].id')
  send POST "$VENDOR/vendors/$2/orders/$id/accept" "$1" >/dev/null
  until_holds '_.status !== "pending"' GET "$VENDOR/vendors/$2/orders/$id" "$1"
  label=$(send POST "$VENDOR/vendors/$2/orders/$id/label" "$1" '{}')
  parcel="\"carrier\":$(pick 'JSON.stringify(_.carrier)' <<<"$label"),\"trackingNo\":$(pick 'JSON.stringify(_.trackingNo)' <<<"$label")"
  send POST "$VENDOR/vendors/$2/orders/$id/ship" "$1" "{\"fulfilment\":\"shipped\",$parcel}" >/dev/null
  send POST "$VENDOR/vendors/$2/orders/$id/ship" "$1" "{\"fulfilment\":\"delivered\",$parcel}" | pick '_.status'
}
say '6. Both vendors accept, print a label, ship and deliver'
fulfil "$LEAF" "$LEAF_ID"
fulfil "$CUP" "$CUP_ID"
until_holds '_.order.status === "delivered"' GET "$SHOP/orders/$NO" "$BUYER"

say '7. A review, moderated'
REVIEW=$(send POST "$SHOP/reviews" "$BUYER" "{\"productId\":\"$TEA\",\"orderNo\":\"$NO\",\"sku\":\"T$RUN-100\",\"rating\":5,\"title\":\"Fresh\",\"body\":\"Very good.\",\"authorName\":\"Rahima\"}" | pick _.id)
send POST "$ADMIN/admin/reviews/$REVIEW/moderate" "$STAFF" '{"decision":"approved"}' >/dev/null
until_holds '_.product.ratingCount === 1' GET "$SHOP/products/$TEA_SLUG" ''
echo published

say '8. The vendor earned the sale less the commission that was frozen at the sale; a payout, approved by a second person'
until_holds '(_.items[0]?.available?.minor ?? 0) > 0' GET "$VENDOR/vendors/$LEAF_ID/balance" "$LEAF"
send GET "$VENDOR/vendors/$LEAF_ID/earnings" "$LEAF" | pick '_.items.map((e) => ({ type: e.type, gross: e.gross.minor, commission: e.commission.minor, net: e.net.minor }))'
AVAILABLE=$(send GET "$VENDOR/vendors/$LEAF_ID/balance" "$LEAF" | pick '_.items[0].available')
PAYOUT=$(send POST "$VENDOR/vendors/$LEAF_ID/payout-request" "$LEAF" "{\"currency\":\"BDT\",\"expectedAmount\":$AVAILABLE}" -H "idempotency-key: payout-$RUN" | pick _.id)
send POST "$ADMIN/admin/payouts/$PAYOUT/approve" "$STAFF" >/dev/null
until_holds '_.payout.status === "paid"' GET "$ADMIN/admin/payouts/$PAYOUT" "$STAFF"
echo "paid out: $AVAILABLE"

say '9. The books are zero, and everybody got their mail'
send GET "$ADMIN/admin/ledger/trial-balance" "$STAFF" | pick _.sums
[ "$(send GET "$ADMIN/admin/ledger/trial-balance" "$STAFF" | pick '_.sums.every((s) => s.minor === 0)')" = true ]
for mail in "$BUYER_MAIL" "$LEAF_MAIL"; do
  send GET "$MAILBOX/mailbox.json?to=$mail" '' | pick '_.messages.map((m) => m.subject).reverse().join("\n")'
done
