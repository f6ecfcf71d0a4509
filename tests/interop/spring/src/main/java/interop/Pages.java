package interop;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

/** What there is to open. */
@RestController
class Pages {
    private final OAuth2AuthorizedClientManager clients;
    private final RestClient http = RestClient.create();
    private final String resource;

    Pages(OAuth2AuthorizedClientManager clients, @Value("${RESOURCE}") String resource) {
        this.clients = clients;
        this.resource = resource;
    }

    /** What is known of who signed in: by the ID token, and by userinfo. */
    @GetMapping("/me")
    Map<String, Object> me(@AuthenticationPrincipal OidcUser person) {
        return Map.of("id_token", person.getIdToken().getClaims(), "userinfo", person.getUserInfo().getClaims());
    }

    /** The resource, opened for who signed in; Spring refreshes the token first where it has expired. */
    @GetMapping("/for-me")
    ResponseEntity<String> forMe(@RegisteredOAuth2AuthorizedClient("secret") OAuth2AuthorizedClient client) {
        return opened(client);
    }

    /** The tokens of who signed in. */
    @GetMapping("/tokens")
    Map<String, String> tokens(@RegisteredOAuth2AuthorizedClient("secret") OAuth2AuthorizedClient client) {
        return Map.of("access", client.getAccessToken().getTokenValue(), "refresh", client.getRefreshToken().getTokenValue());
    }

    /** The resource, opened for the site itself. */
    @GetMapping("/service")
    ResponseEntity<String> service() {
        return opened(clients.authorize(OAuth2AuthorizeRequest.withClientRegistrationId("service").principal("site").build()));
    }

    @GetMapping({"/by-jwt", "/by-introspection"})
    Map<String, String> token(Authentication authentication) {
        return Map.of("name", authentication.getName());
    }

    @GetMapping(path = "/", produces = MediaType.TEXT_HTML_VALUE)
    String start(CsrfToken csrf) {
        return "<form method=post action=/logout><input type=hidden name=_csrf value=\"%s\"><button id=sign_out>Sign out</button></form>"
                .formatted(csrf.getToken());
    }

    @GetMapping(path = "/signed-out", produces = MediaType.TEXT_HTML_VALUE)
    String signedOut() {
        return "<p id=signed_out>Signed out</p>";
    }

    private ResponseEntity<String> opened(OAuth2AuthorizedClient client) {
        return http.get().uri(resource).headers(headers -> headers.setBearerAuth(client.getAccessToken().getTokenValue())).retrieve().toEntity(String.class);
    }
}
