import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.EmptyIndex;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ObjectDataType;

/** Arguments: port, data file. Speaks wire version 13, the least the current driver accepts. */
public class Launcher {
    private static final int ORDERED_BY_VALUE = 1;
    /** Some ten thousand products: what is not in here is read and unpacked again by every scan. */
    private static final int CACHE_MB = 256;

    record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

    public static void main(String[] args) {
        MVStore store = new MVStore.Builder().fileName(args[1]).cacheSize(CACHE_MB).compress().open();
        // A kill -9 loses at most what was written since the last flush.
        store.setAutoCommitDelay(250);
        // An older file keeps the order its indexes are in.
        if (store.getMapNames().isEmpty()) store.setStoreVersion(ORDERED_BY_VALUE);
        H2Backend backend = new Backend(store);
        backend.version(new Version(List.of(5, 0, 0), 13));
        MongoServer server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind("127.0.0.1", Integer.parseInt(args[0]));
    }

    static class Backend extends H2Backend {
        Backend(MVStore store) {
            super(store);
        }

        @Override
        protected MongoDatabase openOrCreateDatabase(String name) {
            MVStore store = getMvStore();
            if (store.getStoreVersion() != ORDERED_BY_VALUE) return super.openOrCreateDatabase(name);
            CursorRegistry cursors = getCursorRegistry();
            return new H2Database(name, store, cursors) {
                @Override
                protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
                    String full = getFullCollectionNamespace(collection);
                    MVMap<Object, Document> documents = store.openMap("databases." + full);
                    return new Changed(this, collection, options, documents, store.openMap("meta." + full), cursors);
                }

                @Override
                protected Index<Object> openOrCreateUniqueIndex(
                        String collection, String index, List<IndexKey> keys, boolean sparse) {
                    MVMap.Builder<KeyValue, Object> map = new MVMap.Builder<KeyValue, Object>().keyType(new ByValue());
                    return new Unique(store.openMap(name + "." + collection + "._index_" + index, map), index, keys, sparse);
                }

                @Override
                protected Index<Object> openOrCreateSecondaryIndex(
                        String collection, String index, List<IndexKey> keys, boolean sparse) {
                    MVMap<Object, Document> documents = store.openMap("databases." + name + "." + collection);
                    return sparse ? new Present(documents, index, keys) : new Equal(documents, index, keys);
                }
            };
        }
    }

    /**
     * The library changes a document in its place, field by field, while the answer to somebody who found it a moment ago is being
     * written: they would read half of the change. Here a change is made in a copy, which takes the document's place. It also sorts
     * all that is found before it takes the first few; here an index that has the order asked for is read until there are enough.
     */
    static class Changed extends H2Collection {
        /** Guarded by the collection's lock, which every change holds. */
        private boolean isChanging;

        Changed(
                MongoDatabase database,
                String name,
                CollectionOptions options,
                MVMap<Object, Document> documents,
                MVMap<String, Object> meta,
                CursorRegistry cursors) {
            super(database, name, options, documents, meta, cursors);
        }

        @Override
        public synchronized Document updateDocuments(
                Document selector,
                Document update,
                ArrayFilters arrayFilters,
                boolean isMulti,
                boolean isUpsert,
                Oplog oplog) {
            isChanging = true;
            try {
                return super.updateDocuments(selector, update, arrayFilters, isMulti, isUpsert, oplog);
            } finally {
                isChanging = false;
            }
        }

        @Override
        public synchronized Document findAndModify(Document query) {
            isChanging = true;
            try {
                return super.findAndModify(query);
            } finally {
                isChanging = false;
            }
        }

        @Override
        protected QueryResult queryDocuments(
                Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            Stream<Object> inOrder = inOrder(query, orderBy);
            QueryResult found = inOrder == null
                    ? super.queryDocuments(query, orderBy, skip, limit, batchSize, fields)
                    : matchDocumentsFromStream(inOrder.map(this::getDocument), query, null, skip, limit, batchSize, fields);
            if (!isChanging) return found;
            return new QueryResult(
                    found.collectDocuments().stream().map(Document::cloneDeeply).toList(), found.getCursorId());
        }

        /** By the index with the fewest documents of those in this order; null when another one has still fewer to look at. */
        private Stream<Object> inOrder(Document query, Document orderBy) {
            if (orderBy == null || orderBy.isEmpty()) return null;
            Lookup best = null;
            long fewest = Long.MAX_VALUE;
            for (Index<Object> index : getIndexes()) {
                if (index instanceof Lookup lookup) {
                    boolean isInOrder = lookup.inOrder(query, orderBy) != null;
                    if (!isInOrder && !lookup.canHandle(query)) continue;
                    long count = lookup.count(query);
                    if (isInOrder ? count > fewest : count >= fewest) continue;
                    best = isInOrder ? lookup : null;
                    fewest = count;
                } else if (index.canHandle(query)) return null;
            }
            return best == null ? null : best.inOrder(query, orderBy).stream().map(Lookup.Entry::id);
        }
    }

    /**
     * Like the library's own, which cannot be extended, but of use also to queries that ask for more than its keys: what it finds is
     * matched afterwards.
     */
    static class Unique extends AbstractUniqueIndex<Object> {
        private final MVMap<KeyValue, Object> map;

        Unique(MVMap<KeyValue, Object> map, String name, List<IndexKey> keys, boolean sparse) {
            super(name, keys, sparse);
            this.map = map;
        }

        @Override
        public boolean canHandle(Document query) {
            Document known = new Document();
            for (String key : keys()) if (query.containsKey(key)) known.put(key, query.get(key));
            return super.canHandle(known);
        }

        @Override
        protected Object removeDocument(KeyValue key) {
            return map.remove(key);
        }

        @Override
        protected boolean putKeyPosition(KeyValue key, Object position) {
            return map.putIfAbsent(key, Missing.ofNullable(position)) == null;
        }

        @Override
        protected Iterable<Map.Entry<KeyValue, Object>> getIterable() {
            return map.entrySet();
        }

        @Override
        protected Object getPosition(KeyValue key) {
            return map.get(key);
        }

        @Override
        public long getCount() {
            return map.sizeAsLong();
        }

        @Override
        public long getDataSize() {
            return getCount();
        }
    }

    /**
     * The library reads a whole collection for whatever has no unique index. This finds documents by what a secondary index's first
     * field holds, in the order of its other fields; everything else that is asked of them is matched afterwards. Kept in memory, filled
     * when it is first of use (opening it has read all documents into the cache), and guarded by its collection's lock like every index.
     */
    abstract static class Lookup extends EmptyIndex<Object> {
        /** With more than this part of all documents to look at, reading them in order is faster. */
        private static final int PART = 4;

        /** Ends of those that begin with the same values. */
        private static final Object BEFORE = new Object(), AFTER = new Object();

        /** What a document has in the fields after the first. */
        record Entry(List<Object> values, Object id) {}

        private final MVMap<Object, Document> documents;
        protected final String field;
        private final List<IndexKey> others;
        private final Comparator<Entry> order = this::compare;
        private NavigableMap<Object, NavigableSet<Entry>> entries;
        /** A list in another field would have several places in the order; it has none, and the order is of no use then. */
        private boolean hasLists;

        Lookup(MVMap<Object, Document> documents, String name, List<IndexKey> keys) {
            super(name, keys);
            this.documents = documents;
            field = keys.get(0).getKey();
            others = keys.subList(1, keys.size());
        }

        /** The keys, one of which a document must have to meet this condition; null when that cannot be said. */
        protected abstract Collection<?> asked(Object condition);

        /** What a document is found by. */
        protected abstract Set<Object> keysOf(Object value);

        @Override
        public boolean canHandle(Document query) {
            return query.containsKey(field) && asked(query.get(field)) != null && count(query) * PART <= documents.sizeAsLong();
        }

        /** How many documents there are to look at. */
        long count(Document query) {
            long found = 0;
            for (Object key : asked(query.get(field))) found += having(key).size();
            return found;
        }

        @Override
        public Iterable<Object> getPositions(Document query) {
            Set<Object> found = new LinkedHashSet<>();
            for (Object key : asked(query.get(field))) for (Entry entry : having(key)) found.add(entry.id());
            return found;
        }

        /** Those that can meet the query, when this has them in the order asked for; null otherwise. */
        NavigableSet<Entry> inOrder(Document query, Document orderBy) {
            Collection<?> asked = query.containsKey(field) ? asked(query.get(field)) : null;
            if (asked == null || asked.size() != 1) return null;
            List<Object> bound = new ArrayList<>();
            for (IndexKey key : others) {
                if (key.getKey().equals(orderBy.keySet().iterator().next())) break;
                Object value = query.get(key.getKey());
                if (!(value instanceof String || value instanceof Boolean)) return null;
                bound.add(value);
            }
            int at = bound.size();
            for (Map.Entry<String, Object> by : orderBy.entrySet()) {
                if (at == others.size() || !(by.getValue() instanceof Number direction)) return null;
                IndexKey key = others.get(at++);
                if (!key.getKey().equals(by.getKey()) || key.isAscending() != direction.intValue() > 0) return null;
            }
            NavigableSet<Entry> all = having(asked.iterator().next());
            if (hasLists) return null;
            return bound.isEmpty() || all.isEmpty() ? all : all.subSet(new Entry(bound, BEFORE), true, new Entry(bound, AFTER), true);
        }

        private int compare(Entry a, Entry b) {
            for (int at = 0; at < Math.min(a.values().size(), b.values().size()); at++) {
                ValueComparator values = others.get(at).isAscending() ? ValueComparator.asc() : ValueComparator.desc();
                int order = values.compare(a.values().get(at), b.values().get(at));
                if (order != 0) return order;
            }
            if (a.id() == BEFORE || b.id() == AFTER) return -1;
            if (a.id() == AFTER || b.id() == BEFORE) return 1;
            return ValueComparator.asc().compare(a.id(), b.id());
        }

        @Override
        public void add(Document document, Object position, MongoCollection<Object> collection) {
            if (entries != null) remember(document);
        }

        @Override
        public Object remove(Document document) {
            if (entries != null) forget(document);
            return null;
        }

        @Override
        public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
            if (entries == null || keysIn(before).equals(keysIn(after)) && entryOf(before).equals(entryOf(after))) return;
            forget(before);
            remember(after);
        }

        /** By what documents are found by. */
        protected NavigableMap<Object, NavigableSet<Entry>> entries() {
            if (entries == null) {
                entries = new TreeMap<>(ValueComparator.asc());
                documents.forEach((id, document) -> remember(document));
            }
            return entries;
        }

        private NavigableSet<Entry> having(Object key) {
            return entries().getOrDefault(key, Collections.emptyNavigableSet());
        }

        private void remember(Document document) {
            Entry entry = entryOf(document);
            for (Object key : keysIn(document)) entries.computeIfAbsent(key, any -> new TreeSet<>(order)).add(entry);
        }

        private void forget(Document document) {
            Entry entry = entryOf(document);
            for (Object key : keysIn(document))
                entries.computeIfPresent(key, (any, having) -> having.remove(entry) && having.isEmpty() ? null : having);
        }

        private Set<Object> keysIn(Document document) {
            return keysOf(Utils.getSubdocumentValueCollectionAware(document, field));
        }

        /** A document's position is its id. */
        private Entry entryOf(Document document) {
            List<Object> values = new ArrayList<>(others.size());
            for (IndexKey key : others) {
                Object value = Utils.getSubdocumentValueCollectionAware(document, key.getKey());
                boolean isList = value instanceof Collection<?>;
                hasLists |= isList;
                values.add(isList ? null : value);
            }
            return new Entry(values, document.get("_id"));
        }
    }

    /** By a text, a truth value or a time, or one of several, or by the times before or after one. */
    static class Equal extends Lookup {
        Equal(MVMap<Object, Document> documents, String name, List<IndexKey> keys) {
            super(documents, name, keys);
        }

        @Override
        protected Collection<?> asked(Object condition) {
            Object value = condition;
            if (value instanceof Document operators && operators.size() == 1) {
                String operator = operators.keySet().iterator().next();
                value = operators.get(operator);
                if (value instanceof Instant time) return times(operator, time);
                if (!operator.equals("$in")) return null;
            } else if (value instanceof Collection<?>) return null;
            Collection<?> keys = value instanceof Collection<?> several ? several : Collections.singleton(value);
            return keys.stream().allMatch(Equal::isPlain) ? keys : null;
        }

        private Collection<?> times(String operator, Instant time) {
            return switch (operator) {
                case "$lt", "$lte" -> entries().subMap(Instant.MIN, true, time, operator.equals("$lte")).keySet();
                case "$gt", "$gte" -> entries().subMap(time, operator.equals("$gte"), Instant.MAX, true).keySet();
                default -> null;
            };
        }

        @Override
        protected Set<Object> keysOf(Object value) {
            Set<Object> keys = new HashSet<>();
            collect(value, keys);
            return keys;
        }

        private static void collect(Object value, Set<Object> keys) {
            if (isPlain(value)) keys.add(value);
            if (value instanceof Collection<?> several) for (Object one : several) collect(one, keys);
        }

        private static boolean isPlain(Object value) {
            return value instanceof String || value instanceof Boolean || value instanceof Instant;
        }
    }

    /** By having a sparse index's field at all, for conditions that no other document can meet. */
    static class Present extends Lookup {
        private static final Set<String> COMPARE = Set.of("$lt", "$lte", "$gt", "$gte", "$type");

        Present(MVMap<Object, Document> documents, String name, List<IndexKey> keys) {
            super(documents, name, keys);
        }

        @Override
        protected Collection<?> asked(Object condition) {
            if (!(condition instanceof Document operators)) return null;
            for (Map.Entry<String, Object> operator : operators.entrySet()) {
                boolean isThere = operator.getKey().equals("$exists") && Boolean.TRUE.equals(operator.getValue());
                boolean isCompared = COMPARE.contains(operator.getKey()) && operator.getValue() != null;
                if (isThere || isCompared) return List.of(true);
            }
            return null;
        }

        @Override
        protected Set<Object> keysOf(Object value) {
            return value instanceof Missing ? Set.of() : Set.of(true);
        }
    }

    /** Compares index keys by what they hold. By default both are serialised for every comparison, which was half of all work. */
    static class ByValue extends ObjectDataType {
        @Override
        public int compare(Object a, Object b) {
            if (!(a instanceof KeyValue x) || !(b instanceof KeyValue y)) return super.compare(a, b);
            for (int at = 0; at < Math.min(x.size(), y.size()); at++) {
                int order = super.compare(x.get(at), y.get(at));
                if (order != 0) return order;
            }
            return Integer.compare(x.size(), y.size());
        }
    }
}
