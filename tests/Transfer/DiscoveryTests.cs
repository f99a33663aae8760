using System.Text;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class DiscoveryTests
{
    private static readonly Uri Host = new("https://fed.example/");

    [Test]
    [Arguments("{\"director_endpoint\":\"https://d.example:8444\",\"jwks_uri\":\"x\",\"broker_endpoint\":null}", "https://d.example:8444")]
    [Arguments("{\"discovery_endpoint\":\"https://other.example\",\"director_endpoint\":\"https://d.example\"}", "https://d.example")]
    [Arguments("{\"director_endpoint\":\"d.example\"}", "https://d.example")]
    [Arguments("{\"director_endpoint\":\"http://127.0.0.1:8080\"}", "http://127.0.0.1:8080")]
    [Arguments("{\"director_endpoint\":\"\"}", null)]
    [Arguments("{\"director_endpoint\":null}", null)]
    [Arguments("{\"discovery_endpoint\":\"https://fed.example\"}", null)]
    [Arguments("{}", null)]
    public async Task A_document_names_a_director_or_none(string document, string? director)
    {
        var federation = Discovery.Parse(Host, Encoding.UTF8.GetBytes(document));

        await Assert.That(federation.Director?.GetLeftPart(UriPartial.Authority)).IsEqualTo(director);
        await Assert.That(federation.Discovery).IsEqualTo(Host);
    }

    [Test]
    [Arguments("")]
    [Arguments("<html></html>")]
    [Arguments("[]")]
    [Arguments("null")]
    [Arguments("{\"director_endpoint\":\"https://d.example\"")]
    [Arguments("{\"director_endpoint\":\"ftp://d.example\"}")]
    [Arguments("{\"director_endpoint\":\"https://user@d.example\"}")]
    [Arguments("{\"director_endpoint\":\"\\ud83d\"}")]
    public async Task A_document_that_is_none_names_the_host_that_sent_it(string document)
    {
        PelicanException error = Assert.Throws<PelicanException>(() => Discovery.Parse(Host, Encoding.UTF8.GetBytes(document)));

        await Assert.That(error.Row).IsEqualTo(Errors.Resolution);
        await Assert.That(error.Message).Contains("fed.example");
    }
}
