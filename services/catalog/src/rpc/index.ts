import type { RpcTable } from '@haat/kit/grpc-server'
import type { CatalogServiceImplementation } from '@haat/proto/catalog/v1/catalog'
import type { CatalogContext } from '../context.ts'
import { approveProduct } from './approve-product.ts'
import { archiveProduct } from './archive-product.ts'
import { batchGetMedia } from './batch-get-media.ts'
import { batchGetProducts } from './batch-get-products.ts'
import { batchGetProductsBySlug } from './batch-get-products-by-slug.ts'
import { batchGetVariants } from './batch-get-variants.ts'
import { completeUpload } from './complete-upload.ts'
import { createBrand } from './create-brand.ts'
import { createCategory } from './create-category.ts'
import { createProduct } from './create-product.ts'
import { createUpload } from './create-upload.ts'
import { exportProducts } from './export-products.ts'
import { getProduct } from './get-product.ts'
import { getProductBySlug } from './get-product-by-slug.ts'
import { importProducts } from './import-products.ts'
import { listApprovals } from './list-approvals.ts'
import { listBrands } from './list-brands.ts'
import { listCategories } from './list-categories.ts'
import { listChangeRequests } from './list-change-requests.ts'
import { listOffers } from './list-offers.ts'
import { listPriceHistory } from './list-price-history.ts'
import { listProductSnapshots } from './list-product-snapshots.ts'
import { listProducts } from './list-products.ts'
import { listVendorProducts } from './list-vendor-products.ts'
import { rejectProduct } from './reject-product.ts'
import { setPrice } from './set-price.ts'
import { submitProduct } from './submit-product.ts'
import { updateBrand } from './update-brand.ts'
import { updateCategory } from './update-category.ts'
import { updateProduct } from './update-product.ts'

export const rpc: RpcTable<CatalogContext, CatalogServiceImplementation> = {
  approveProduct,
  archiveProduct,
  batchGetMedia,
  batchGetProducts,
  batchGetProductsBySlug,
  batchGetVariants,
  completeUpload,
  createBrand,
  createCategory,
  createProduct,
  createUpload,
  exportProducts,
  getProduct,
  getProductBySlug,
  importProducts,
  listApprovals,
  listBrands,
  listCategories,
  listChangeRequests,
  listOffers,
  listPriceHistory,
  listProductSnapshots,
  listProducts,
  listVendorProducts,
  rejectProduct,
  setPrice,
  submitProduct,
  updateBrand,
  updateCategory,
  updateProduct,
}
