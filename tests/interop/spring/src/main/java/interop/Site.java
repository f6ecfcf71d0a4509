package interop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** A site that signs people in by grantlog, calls its resource for them and for itself, and lets in who has a token of it. */
@SpringBootApplication
public class Site {
    public static void main(String[] arguments) {
        SpringApplication.run(Site.class, arguments);
    }
}
