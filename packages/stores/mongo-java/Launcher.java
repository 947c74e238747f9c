import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import java.util.List;
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
            return new H2Database(name, store, getCursorRegistry()) {
                @Override
                protected Index<Object> openOrCreateUniqueIndex(
                        String collection, String index, List<IndexKey> keys, boolean sparse) {
                    // A map that is open stays as it was opened.
                    String map = name + "." + collection + "._index_" + index;
                    store.openMap(map, new MVMap.Builder<Object, Object>().keyType(new ByValue()));
                    return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
                }
            };
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
