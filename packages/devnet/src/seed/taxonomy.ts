/** What the products of a category differ in. */
export type OptionKind = 'Pack' | 'Size' | 'Colour' | 'none'

export type Leaf = {
  top: string
  name: string
  /** What its products are called. */
  nouns: [string, string, string]
  /** Price range in taka. */
  taka: [number, number]
  grams: number
  option: OptionKind
  taxClass: 'standard' | 'reduced'
}

type Row = [name: string, nouns: [string, string, string], taka: [number, number], grams: number, option: OptionKind]

const tops: Record<string, Row[]> = {
  'Tea & Coffee': [
    ['Green Tea', ['Sencha', 'Gunpowder Tea', 'Jasmine Tea'], [220, 900], 120, 'Pack'],
    ['Black Tea', ['Sylhet Black Tea', 'Breakfast Tea', 'Masala Chai'], [160, 700], 120, 'Pack'],
    ['Coffee Beans', ['Bandarban Coffee', 'Espresso Beans', 'Decaf Beans'], [450, 1600], 260, 'Pack'],
    ['Teaware', ['Teapot', 'Tea Strainer', 'Cup and Saucer'], [180, 2400], 600, 'Colour'],
  ],
  'Spices & Pantry': [
    ['Spices', ['Turmeric Powder', 'Chili Powder', 'Garam Masala'], [60, 420], 110, 'Pack'],
    ['Rice & Lentils', ['Chinigura Rice', 'Red Lentils', 'Nazirshail Rice'], [90, 820], 1050, 'Pack'],
    ['Honey & Spreads', ['Sundarban Honey', 'Mango Preserve', 'Peanut Butter'], [240, 1100], 420, 'Pack'],
    ['Oils', ['Mustard Oil', 'Sesame Oil', 'Coconut Oil'], [180, 950], 1000, 'none'],
  ],
  'Men’s Clothing': [
    ['Panjabi', ['Cotton Panjabi', 'Silk Panjabi', 'Linen Panjabi'], [900, 4800], 350, 'Size'],
    ['Shirts', ['Oxford Shirt', 'Check Shirt', 'Denim Shirt'], [750, 2600], 300, 'Size'],
    ['Lungi & Gamcha', ['Handloom Lungi', 'Check Lungi', 'Gamcha'], [220, 1100], 260, 'Colour'],
    ['Sweaters', ['Wool Sweater', 'Cardigan', 'Vest'], [850, 3600], 480, 'Size'],
  ],
  'Women’s Clothing': [
    ['Sarees', ['Jamdani Saree', 'Tangail Saree', 'Rajshahi Silk Saree'], [1200, 14000], 700, 'Colour'],
    ['Kurtis', ['Block Print Kurti', 'Cotton Kurti', 'Embroidered Kurti'], [650, 3200], 260, 'Size'],
    ['Shawls', ['Pashmina Shawl', 'Khadi Shawl', 'Nakshi Shawl'], [550, 5200], 320, 'Colour'],
    ['Salwar Sets', ['Three Piece Set', 'Lawn Set', 'Georgette Set'], [1400, 6800], 620, 'Size'],
  ],
  'Home Textiles': [
    ['Nakshi Kantha', ['Kantha Quilt', 'Kantha Throw', 'Baby Kantha'], [900, 7800], 1200, 'Colour'],
    ['Bed Linen', ['Bed Sheet Set', 'Pillow Cover', 'Duvet Cover'], [380, 4200], 900, 'Colour'],
    ['Towels', ['Bath Towel', 'Hand Towel', 'Beach Towel'], [180, 1600], 400, 'Colour'],
    ['Cushions', ['Cushion Cover', 'Floor Cushion', 'Bolster'], [220, 1900], 500, 'Colour'],
  ],
  Kitchen: [
    ['Clay Pots', ['Clay Mug', 'Clay Curry Pot', 'Clay Water Jug'], [150, 1200], 900, 'none'],
    ['Cookware', ['Korai', 'Sauce Pan', 'Pressure Cooker'], [650, 5200], 1800, 'none'],
    ['Cutlery', ['Boti', 'Chef Knife', 'Spoon Set'], [160, 2200], 350, 'none'],
    ['Storage', ['Spice Box', 'Glass Jar', 'Bamboo Basket'], [120, 1400], 450, 'Colour'],
  ],
  Electronics: [
    ['Headphones', ['Wireless Headphones', 'Earbuds', 'Studio Headphones'], [900, 12000], 300, 'Colour'],
    ['Televisions', ['Smart Television', 'LED Television', 'QLED Television'], [18000, 92000], 12000, 'none'],
    ['Phone Accessories', ['Phone Case', 'Fast Charger', 'Power Bank'], [180, 3200], 180, 'Colour'],
    ['Fans', ['Table Fan', 'Ceiling Fan', 'Rechargeable Fan'], [1400, 6200], 3200, 'Colour'],
  ],
  Books: [
    ['Novels', ['Village Novel', 'River Novel', 'City Novel'], [180, 750], 320, 'none'],
    ['Poetry', ['Collected Poems', 'Monsoon Poems', 'Letters in Verse'], [150, 600], 240, 'none'],
    ['Children’s Books', ['Picture Book', 'Alphabet Book', 'Folk Tales'], [120, 520], 260, 'none'],
    ['Cook Books', ['Bengali Cook Book', 'Fish Cook Book', 'Sweet Cook Book'], [280, 980], 520, 'none'],
  ],
  'Toys & Games': [
    ['Wooden Toys', ['Wooden Train', 'Wooden Blocks', 'Spinning Top'], [150, 2400], 450, 'none'],
    ['Board Games', ['Carrom Board', 'Ludo Set', 'Chess Set'], [180, 4800], 1800, 'none'],
    ['Dolls', ['Rag Doll', 'Clay Doll', 'Bride Doll'], [140, 1300], 220, 'Colour'],
    ['Kites', ['Paper Kite', 'Box Kite', 'Kite String'], [40, 480], 90, 'Colour'],
  ],
  'Beauty & Care': [
    ['Soaps', ['Neem Soap', 'Sandalwood Soap', 'Turmeric Soap'], [60, 380], 110, 'Pack'],
    ['Hair Care', ['Amla Hair Oil', 'Henna Powder', 'Herbal Shampoo'], [120, 850], 260, 'none'],
    ['Skin Care', ['Aloe Gel', 'Rose Water', 'Multani Mitti'], [110, 980], 180, 'Pack'],
    ['Perfumes', ['Attar', 'Rose Perfume', 'Oud Perfume'], [250, 4600], 120, 'none'],
  ],
  'Bags & Leather': [
    ['Jute Bags', ['Jute Tote', 'Jute Backpack', 'Jute Pouch'], [180, 1600], 350, 'Colour'],
    ['Leather Bags', ['Leather Satchel', 'Messenger Bag', 'Handbag'], [1800, 9800], 1100, 'Colour'],
    ['Wallets', ['Bifold Wallet', 'Card Holder', 'Coin Purse'], [280, 2400], 140, 'Colour'],
    ['Shoes', ['Leather Sandals', 'Loafers', 'Nagra Shoes'], [650, 4800], 780, 'Size'],
  ],
  'Garden & Outdoor': [
    ['Seeds', ['Marigold Seeds', 'Tomato Seeds', 'Spinach Seeds'], [30, 220], 30, 'Pack'],
    ['Planters', ['Terracotta Planter', 'Hanging Planter', 'Coir Planter'], [120, 1800], 1400, 'Colour'],
    ['Garden Tools', ['Garden Trowel', 'Pruning Shears', 'Watering Can'], [160, 1500], 520, 'none'],
    ['Bicycles', ['City Bicycle', 'Mountain Bicycle', 'Kids Bicycle'], [8500, 38000], 15000, 'Colour'],
  ],
}

const REDUCED = new Set(['Books', 'Spices & Pantry'])

export const topCategories = Object.keys(tops)

export const leaves: Leaf[] = Object.entries(tops).flatMap(([top, rows]) =>
  rows.map(([name, nouns, taka, grams, option]) => ({
    top,
    name,
    nouns,
    taka,
    grams,
    option,
    taxClass: REDUCED.has(top) ? ('reduced' as const) : ('standard' as const),
  })),
)

export const optionValues: Record<OptionKind, readonly string[]> = {
  Pack: ['100 g', '250 g', '500 g'],
  Size: ['S', 'M', 'L', 'XL'],
  Colour: ['Red', 'Indigo', 'Natural', 'Green'],
  none: [],
}

export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('’', '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
