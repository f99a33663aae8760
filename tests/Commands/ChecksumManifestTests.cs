using Pelican.Federation;

namespace Pelican.Tests.Commands;

public sealed class ChecksumManifestTests
{
    private const string Md5OfHello = "5d41402abc4b2a76b9719d911017c592";

    [Test]
    [Arguments(Md5OfHello + "  my file")]
    [Arguments(Md5OfHello + " *my file")]
    [Arguments("5D41402ABC4B2A76B9719D911017C592 my file")]
    public async Task A_file_that_agrees_goes_on(string line)
    {
        await using TestFederation federation = await TestFederation.StartAsync();
        using TestShell shell = new(federation);
        shell.Write("my file", "hello");
        shell.Write("SUMS", line + "\n");

        ShellResult result = await shell.RunAsync("object", "put", "--dry-run", "--checksums", "md5:SUMS", "my file", federation.UrlOf("/demo/b/"));

        await Assert.That(result.Error).IsEqualTo("");
        await Assert.That(result.Output).IsEqualTo($"UPLOAD: {shell.File("my file")} -> /demo/b/my file\n");
    }

    [Test]
    [Arguments("00000000000000000000000000000000  f", 9, "has md5 " + Md5OfHello)]
    [Arguments(Md5OfHello + "  ./f", 4, "the checksums file has no line for 'f'")]
    [Arguments("1234  f", 4, "SUMS:1: this is not a md5")]
    [Arguments(Md5OfHello, 4, "SUMS:1: this is not a md5")]
    public async Task Anything_else_stops_before_the_upload(string line, int status, string message)
    {
        using TestShell shell = new();
        shell.Write("f", "hello");
        shell.Write("SUMS", line + "\n");

        ShellResult result = await shell.RunAsync("object", "put", "--checksums", "md5:SUMS", "f", "osdf:///a/b");

        await Assert.That(result.Error).Contains(message);
        await Assert.That(result.Status).IsEqualTo(status);
    }
}
