using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Pelican.Server;

namespace Pelican.Tests.Server;

/// <summary>The description of the API.</summary>
public sealed class OpenApiTests
{
    [Test]
    public async Task It_is_what_the_code_says()
    {
        string made = OpenApiDocument.Make();
        if (Environment.GetEnvironmentVariable("PELICAN_WRITE_OPENAPI") is { Length: > 0 } file)
        {
            await File.WriteAllTextAsync(file, made);
        }
        else
        {
            await Assert.That(Encoding.UTF8.GetString(OpenApi.Document())).IsEqualTo(made);
        }
    }

    [Test]
    public async Task Everything_that_can_be_asked_is_described() =>
        await Assert.That(OpenApiDocument.Described).IsEquivalentTo(
            Pelican.Server.ClientApi.Routes.Select(route => (route.Method, OpenApiDocument.Base + route.Path))
                .Concat([("GET", "/health"), ("POST", "/shutdown"), ("GET", OpenApi.Path)]));

    [Test]
    public async Task A_validator_of_others_finds_nothing_wrong_with_it()
    {
        ReadResult read = OpenApiModelFactory.Parse(Encoding.UTF8.GetString(OpenApi.Document()), "json", new OpenApiReaderSettings
        {
            RuleSet = ValidationRuleSet.GetDefaultRuleSet(),
        });

        await Assert.That(read.Diagnostic!.Errors.Concat(read.Diagnostic.Warnings).Select(e => $"{e.Pointer}: {e.Message}")).IsEmpty();
        await Assert.That(read.Diagnostic.SpecificationVersion).IsEqualTo(OpenApiSpecVersion.OpenApi3_1);
        await Assert.That(read.Document!.Paths.Count).IsEqualTo(OpenApiDocument.Described.Select(d => d.Path).Distinct().Count());
    }

    [Test]
    public async Task The_validator_would_find_something()
    {
        string spoiled = Encoding.UTF8.GetString(OpenApi.Document()).Replace("\"in\": \"path\"", "\"in\": \"query\"", StringComparison.Ordinal)
            .Replace("\"title\":", "\"titel\":", StringComparison.Ordinal);

        ReadResult read = OpenApiModelFactory.Parse(spoiled, "json", new OpenApiReaderSettings { RuleSet = ValidationRuleSet.GetDefaultRuleSet() });

        await Assert.That(read.Diagnostic!.Errors.Count).IsGreaterThan(0);
    }

    [Test]
    public async Task The_server_has_it(CancellationToken cancellationToken)
    {
        await using ApiServer server = await ApiServer.StartAsync();

        (HttpStatusCode status, JsonElement document, _) = await server.SendAsync("GET", OpenApi.Path, null, cancellationToken);

        await Assert.That(status).IsEqualTo(HttpStatusCode.OK);
        await Assert.That(document.GetProperty("openapi").GetString()).IsEqualTo("3.1.0");
    }
}
