using System.Net.Http.Headers;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ObjectLengthTests
{
    [Test]
    [Arguments("Content-Length: 12", 12L)]
    [Arguments("Content-Length: 0", 0L)]
    [Arguments("", null)]
    [Arguments("Content-Length: many", null)]
    [Arguments("Content-Length: -1", null)]
    [Arguments("Content-Length: 1e3", null)]
    [Arguments("Content-Length: 9223372036854775808", null)]
    [Arguments("Content-Length: 12\nContent-Encoding: gzip", null)]
    [Arguments("Content-Length: 12\nContent-Encoding: identity", 12L)]
    [Arguments("Content-Length: 12\nContent-Encoding: br, identity", null)]
    public async Task A_length_is_told_or_unknown(string headers, long? expected)
    {
        using HttpResponseMessage response = new() { Content = new Unsized() };
        foreach (string line in headers.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = line.Split(": ");
            response.Content.Headers.TryAddWithoutValidation(pair[0], pair[1]);
        }

        await Assert.That(ObjectLength.Of(response)).IsEqualTo(expected);
    }

    [Test]
    public async Task Beside_chunks_no_length_counts()
    {
        using HttpResponseMessage response = new() { Content = new Unsized() };
        response.Content.Headers.ContentLength = 12;
        response.Headers.TransferEncoding.Add(new TransferCodingHeaderValue("chunked"));

        await Assert.That(ObjectLength.Of(response)).IsNull();
    }

    private sealed class Unsized : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => Task.CompletedTask;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
