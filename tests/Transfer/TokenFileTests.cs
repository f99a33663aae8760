using System.Runtime.InteropServices;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed partial class TokenFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("token-file-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Test]
    [Arguments("abc", "abc")]
    [Arguments("  abc \r\n\n", "abc")]
    [Arguments("\uFEFFabc", "abc")]
    [Arguments("{\"access_token\":\"abc\",\"expires_in\":1}", "abc")]
    [Arguments("\n { \"other\": {\"access_token\": \"no\"}, \"access_token\" : \" abc\\n\" } ", "abc")]
    [Arguments("\uFEFF{\"access_token\":\"abc\"}", "abc")]
    public async Task A_token_is_raw_or_in_JSON(string content, string expected)
    {
        TokenFile.TryRead(Write(content), owner: null, out string? token, out string found);

        await Assert.That(token).IsEqualTo(expected);
        await Assert.That(found).IsEqualTo("");
    }

    [Test]
    [Arguments("", "empty")]
    [Arguments(" \n", "empty")]
    [Arguments("{\"access_token\":\"\"}", "empty")]
    [Arguments("{}", "JSON without an access_token")]
    [Arguments("{\"access_token\":7}", "JSON without an access_token")]
    [Arguments("{\"access_token\":\"a\"", "neither a token nor JSON")]
    [Arguments("{\"access_token\":\"\\ud800\"}", "neither a token nor JSON")]
    [Arguments("two words", "not a token: it has blanks, control or other characters")]
    [Arguments("{\"access_token\":\"a\\r\\nX-Evil: 1\"}", "not a token: it has blanks, control or other characters")]
    [Arguments("one\ntwo", "not a token: it has blanks, control or other characters")]
    [Arguments("jetön", "not a token: it has blanks, control or other characters")]
    public async Task What_is_no_token_is_told_apart(string content, string expected)
    {
        bool read = TokenFile.TryRead(Write(content), owner: null, out string? token, out string found);

        await Assert.That(read).IsFalse();
        await Assert.That(token).IsNull();
        await Assert.That(found).IsEqualTo(expected);
    }

    [Test]
    public async Task Nested_or_binary_or_huge_files_hold_no_token()
    {
        string nested = Write(new string('{', 10) + new string('[', 50_000));
        string binary = Path.Combine(_folder.FullName, "binary");
        await File.WriteAllBytesAsync(binary, [0x7F, 0x45, 0x4C, 0x46, 0, 0xFF, 0xFE]);
        string huge = Path.Combine(_folder.FullName, "huge");
        await File.WriteAllTextAsync(huge, new string('a', TokenFile.MaxBytes + 1));

        await Assert.That(Found(nested)).IsEqualTo("neither a token nor JSON");
        await Assert.That(Found(binary)).StartsWith("not a token");
        await Assert.That(Found(huge)).IsEqualTo("larger than 64 KiB");
    }

    [Test]
    public async Task A_token_may_be_as_large_as_the_limit()
    {
        await Assert.That(Found(Write(new string('a', TokenFile.MaxBytes)))).IsEqualTo("");
    }

    [Test]
    [Timeout(10_000)]
    public async Task Only_regular_files_are_read(CancellationToken cancellationToken)
    {
        string fifo = Path.Combine(_folder.FullName, "fifo");
        await Assert.That(MakeFifo(fifo, 0x180)).IsEqualTo(0);

        await Assert.That(Found(fifo)).IsEqualTo("not a regular file");
        await Assert.That(Found("/dev/zero")).IsEqualTo("not a regular file");
        await Assert.That(Found(_folder.FullName)).IsEqualTo("not a regular file");
        await Assert.That(cancellationToken.IsCancellationRequested).IsFalse();
    }

    [Test]
    public async Task A_missing_file_is_said_to_be_missing()
    {
        await Assert.That(Found(Path.Combine(_folder.FullName, "none"))).IsEqualTo(TokenFile.Missing);
        await Assert.That(Found(Path.Combine(Write("x"), "below"))).IsEqualTo(TokenFile.Missing);
        await Assert.That(Found("/" + new string('x', 300))).IsEqualTo(TokenFile.Missing);
    }

    [Test]
    public async Task Where_the_owner_matters_only_the_users_own_file_is_read()
    {
        string mine = Write("abc");

        await Assert.That(Found(mine, UserId())).IsEqualTo("");
        await Assert.That(Found(mine, UserId() + 1)).IsEqualTo($"belongs to user {UserId()}");
    }

    [Test]
    public async Task The_owner_is_the_user_and_not_the_group()
    {
        string file = Write("abc");
        Skip.Unless(ChangeOwner(file, 12345, 54321) == 0, "only root gives files away");

        await Assert.That(Found(file, 12345)).IsEqualTo("");
        await Assert.That(Found(file, 54321)).IsEqualTo("belongs to user 12345");
    }

    [Test]
    public async Task Where_the_owner_matters_links_are_not_followed()
    {
        string link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, Write("abc"));

        await Assert.That(Found(link, UserId())).IsEqualTo("a symbolic link");
        await Assert.That(Found(link)).IsEqualTo("");
    }

    private static string Found(string path, uint? owner = null)
    {
        TokenFile.TryRead(path, owner, out _, out string found);
        return found;
    }

    private string Write(string content)
    {
        string path = Path.Combine(_folder.FullName, "token");
        File.WriteAllText(path, content);
        return path;
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
