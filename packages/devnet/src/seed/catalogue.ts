import { picture, uploadPicture } from '../actors.ts'
import { importCatalog } from '../csv.ts'
import { each } from '../each.ts'
import { countOnce, listProducts } from '../market.ts'
import type { Parties, Step } from './parties.ts'
import { csvHeader, csvRows, pictureKey } from './products.ts'

/** Live products with variants, pictures and stock, by the staff's CSV import. */
export async function seedCatalogue({ admin, sellers }: Parties, { journal, log, products }: Step): Promise<void> {
  if (journal.has('stock')) return
  if (!journal.has('products')) {
    const pictures = new Map(products.map((product) => [pictureKey(product), product]))
    const urls = new Map<string, string>()
    await each(pictures, 4, async ([key, { vendor, leaf }]) => {
      urls.set(key, (await uploadPicture(sellers[vendor]!, await picture(leaf.name))).fullUrl)
    })
    log(`seed: ${urls.size} pictures drawn`)
    const groups = products.map((product) =>
      csvRows(product, sellers[product.vendor]!.slug, urls.get(pictureKey(product))!).map((cells) => ({
        line: 0,
        cells,
      })),
    )
    const { created, updated, unchanged, errors } = await importCatalog(admin, csvHeader, groups)
    if (errors.length) throw new Error(`seed: a product was refused: ${JSON.stringify(errors[0])}`)
    log(`seed: ${created + updated + unchanged} products imported and live`)
    journal.add('products')
  }
  const onHand = new Map(products.flatMap(({ variants }) => variants.map((variant) => [variant.sku, variant.onHand])))
  let counted = 0
  for (const own of sellers) {
    if (journal.has(`stock of ${own.slug}`)) continue
    const skus = (await listProducts(own)).flatMap(({ id, skus }) => skus.map((sku) => ({ productId: id, sku })))
    await each(skus, 8, async (of) => {
      const units = onHand.get(of.sku)
      if (units !== undefined) await countOnce(own, { ...of, onHand: units, reorderPoint: 5 })
    })
    counted += skus.length
    journal.add(`stock of ${own.slug}`)
  }
  log(`seed: ${counted} SKUs counted`)
  journal.add('stock')
}
