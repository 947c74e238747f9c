-- The platform's own rates, so that a new vendor can sell at once. Operators change them with UpsertRateTable.
insert into rate_tables
  (id, code, label, carrier, service_level, basis, countries, currency, brackets, free_from, min_days, max_days, is_active)
values
  ('0198f000-0000-7000-8000-000000000001', 'standard-bdt', 'Standard delivery', 'table', 'standard', 'by_weight', '{BD}', 'BDT',
   '[{"upTo":"1000","amount":"6000"},{"upTo":"3000","amount":"9000"},{"upTo":"10000","amount":"18000"},{"upTo":"0","amount":"35000"}]',
   500000, 2, 5, true),
  ('0198f000-0000-7000-8000-000000000002', 'express-bdt', 'Express delivery', 'table', 'express', 'by_weight', '{BD}', 'BDT',
   '[{"upTo":"1000","amount":"12000"},{"upTo":"3000","amount":"18000"},{"upTo":"10000","amount":"36000"}]',
   null, 1, 2, true),
  ('0198f000-0000-7000-8000-000000000003', 'international-bdt', 'International delivery', 'table', 'international', 'by_weight',
   '{AE,AU,BH,CA,DE,ES,FR,GB,IN,IT,JP,KR,KW,LK,MY,NL,NP,OM,QA,SA,SE,SG,US}', 'BDT',
   '[{"upTo":"500","amount":"180000"},{"upTo":"2000","amount":"350000"},{"upTo":"10000","amount":"900000"}]',
   null, 7, 21, true),
  ('0198f000-0000-7000-8000-000000000004', 'standard-usd', 'Standard delivery', 'table', 'standard', 'by_weight', '{*}', 'USD',
   '[{"upTo":"1000","amount":"599"},{"upTo":"5000","amount":"1199"},{"upTo":"0","amount":"2499"}]',
   10000, 3, 7, true),
  ('0198f000-0000-7000-8000-000000000005', 'standard-eur', 'Standard delivery', 'table', 'standard', 'by_weight', '{*}', 'EUR',
   '[{"upTo":"1000","amount":"499"},{"upTo":"5000","amount":"999"},{"upTo":"0","amount":"2199"}]',
   10000, 3, 7, true);
