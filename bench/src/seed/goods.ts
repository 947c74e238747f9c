import { MongoClient } from 'mongodb'

/** A product as the load needs it. */
export type Goods = { id: string; vendorId: string; slug: string; skus: string[]; variantIds: string[] }

type Document = { _id: string; vendorId: string; slug: string; variants: { id: string; sku: string }[] }

/** All products in the order of their import, from catalog's own store: listing them through the shop would warm its caches. */
export async function readGoods(mongoUrl: string): Promise<Goods[]> {
  const client = await MongoClient.connect(mongoUrl)
  try {
    const documents = await client
      .db('haat_catalog')
      .collection<Document>('products')
      .find({}, { projection: { vendorId: 1, slug: 1, 'variants.id': 1, 'variants.sku': 1 } })
      .toArray()
    const numberOf = ({ variants }: Document) => Number(variants[0]!.sku.split('-')[1])
    return documents
      .filter(({ variants }) => variants[0]?.sku.startsWith('BENCH-'))
      .sort((a, b) => numberOf(a) - numberOf(b))
      .map(({ _id, vendorId, slug, variants }) => ({
        id: _id,
        vendorId,
        slug,
        skus: variants.map(({ sku }) => sku),
        variantIds: variants.map(({ id }) => id),
      }))
  } finally {
    await client.close()
  }
}
