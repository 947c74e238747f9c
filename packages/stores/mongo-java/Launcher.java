import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;
import org.h2.mvstore.MVStore;

/** Arguments: port, data file. Speaks wire version 13, the least the current driver accepts. */
public class Launcher {
    record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

    public static void main(String[] args) {
        MVStore store = new MVStore.Builder().fileName(args[1]).compress().open();
        // A kill -9 loses at most what was written since the last flush.
        store.setAutoCommitDelay(250);
        H2Backend backend = new H2Backend(store);
        backend.version(new Version(List.of(5, 0, 0), 13));
        MongoServer server = new MongoServer(backend);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind("127.0.0.1", Integer.parseInt(args[0]));
    }
}
