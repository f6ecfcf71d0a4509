package interop;

import com.nimbusds.jose.jwk.JWK;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2AccessTokenResponseClient;
import org.springframework.security.oauth2.client.endpoint.OAuth2AuthorizationCodeGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientAuthorizationCodeTokenResponseClient;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;

/** Who may open what. */
@Configuration
class Rules {
    /** JWTs, checked by the keys that the issuer's metadata leads to. */
    @Bean
    @Order(1)
    SecurityFilterChain byJwt(HttpSecurity http) throws Exception {
        return http.securityMatcher("/by-jwt")
                .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_read"))
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }

    /** Tokens that the issuer is asked about (RFC 7662). */
    @Bean
    @Order(2)
    SecurityFilterChain byIntrospection(HttpSecurity http) throws Exception {
        return http.securityMatcher("/by-introspection")
                .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_read"))
                .oauth2ResourceServer(server -> server.opaqueToken(Customizer.withDefaults()))
                .build();
    }

    /** People, who sign in, and out again of grantlog too. */
    @Bean
    @Order(3)
    SecurityFilterChain people(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        var signedOut = new OidcClientInitiatedLogoutSuccessHandler(clients);
        signedOut.setPostLogoutRedirectUri("{baseUrl}/signed-out");
        return http.authorizeHttpRequests(requests -> requests
                        .requestMatchers("/signed-out", "/service", "/error", "/login")
                        .permitAll()
                        .anyRequest()
                        .authenticated())
                .oauth2Login(Customizer.withDefaults())
                .logout(logout -> logout.logoutSuccessHandler(signedOut))
                .build();
    }

    /** Access tokens as RFC 9068 has them, for this site alone; Spring's own rules are for JWTs of any kind. */
    @Bean
    JwtDecoder accessTokens(@Value("${ISSUER}") String issuer, @Value("${AUDIENCE}") String audience, @Value("${READER_CLIENT_ID}") String client) {
        var decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator().issuer(issuer).audience(audience).clientId(client).build());
        return decoder;
    }

    /** The client with a key signs an assertion (RFC 7523) where others send a secret. */
    @Bean
    OAuth2AccessTokenResponseClient<OAuth2AuthorizationCodeGrantRequest> codes(@Value("${KEY}") String key) throws java.text.ParseException {
        var client = new RestClientAuthorizationCodeTokenResponseClient();
        var own = JWK.parse(key);
        client.addParametersConverter(new NimbusJwtClientAuthenticationParametersConverter<>(registration -> own));
        return client;
    }
}
