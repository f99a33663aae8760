using System.Text;
using Microsoft.Extensions.Time.Testing;
using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class ConsoleProgressTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly MemoryStream _screen = new();
    private readonly ConsoleMessages _messages;

    public ConsoleProgressTests() => _messages = new ConsoleMessages(_screen, new Redactor());

    public void Dispose() => _screen.Dispose();

    [Test]
    public async Task What_is_over_in_a_moment_is_not_shown()
    {
        TransferProgress transfer = Transfer("a", 10);
        using (ConsoleProgress progress = Start(1))
        {
            progress.Add(transfer);
            _clock.Advance(TimeSpan.FromMilliseconds(290));
            progress.Remove(transfer, 10);
        }

        await Assert.That(Drawn()).IsEqualTo("");
    }

    [Test]
    public async Task One_object_takes_one_line_with_rate_and_time_left()
    {
        TransferProgress transfer = Transfer("run1.dat", 100_000_000);
        using ConsoleProgress progress = Start(1);
        progress.Add(transfer);
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        transfer.SetBytes(10_000_000);
        Drawn();

        _clock.Advance(TimeSpan.FromMilliseconds(100));

        await Assert.That(Drawn()).IsEqualTo("\rrun1.dat  10.0 MB/100.0 MB  10%  100.0 MB/s  0:00 left  cache-a:8443\e[K");
    }

    [Test]
    public async Task A_long_name_is_shortened_and_the_figures_stay()
    {
        TransferProgress transfer = Transfer(new string('n', 97), 100_000_000);
        using ConsoleProgress progress = Start(1, columns: 60);
        progress.Add(transfer);
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        transfer.SetBytes(10_000_000);
        Drawn();

        _clock.Advance(TimeSpan.FromMilliseconds(100));

        await Assert.That(Drawn()).Matches("^\rn+…  10.0 MB/100.0 MB  10%  100.0 MB/s  0:00 left\e\\[K$");
    }

    [Test]
    public async Task The_totals_of_a_tree_grow_and_say_so()
    {
        TreeProgress tree = new();
        TransferProgress transfer = Transfer("sub/run1.dat", 100_000_000);
        using ConsoleProgress progress = new(_messages, () => (80, 24), _clock, 1, tree);
        tree.Found(100_000_000);
        tree.Began(transfer);
        progress.Add(transfer);
        transfer.SetBytes(10_000_000);

        _clock.Advance(TimeSpan.FromMilliseconds(300));
        string walking = Drawn();
        tree.Found(5);
        tree.Walked();
        _clock.Advance(TimeSpan.FromMilliseconds(100));

        await Assert.That(walking).StartsWith("0/1+ objects, 10.0 MB/100.0 MB+");
        await Assert.That(Drawn()).Contains("0/2 objects, 10.0 MB/100.0 MB");
    }

    [Test]
    public async Task It_is_drawn_at_most_ten_times_a_second()
    {
        TransferProgress transfer = Transfer("a", 1_000_000);
        using ConsoleProgress progress = Start(1);
        progress.Add(transfer);

        for (int i = 0; i < 1000; i++)
        {
            transfer.SetBytes(i * 100);
            _clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        await Assert.That(Drawn().Count(c => c == '\r') + 1).IsBetween(5, 10);
    }

    [Test]
    public async Task Bytes_of_an_earlier_run_are_not_speed()
    {
        TransferProgress transfer = new() { Name = "a" };
        using ConsoleProgress progress = Start(1);
        progress.Add(transfer);
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        transfer.SetTotal(1_000_000_000);
        transfer.SetBytes(900_000_000);
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        transfer.SetServer("s:1");
        transfer.SetBytes(900_100_000);
        Drawn();

        _clock.Advance(TimeSpan.FromMilliseconds(100));

        await Assert.That(Drawn()).Contains("900.1 MB/1.0 GB  90%  500.0 kB/s");
    }

    [Test]
    public async Task Several_objects_have_a_line_of_totals_and_as_many_more_as_fit()
    {
        TransferProgress[] transfers = [.. Enumerable.Range(0, 9).Select(i => Transfer($"n{i}", 1000))];
        using ConsoleProgress progress = Start(2000, rows: 4);
        Array.ForEach(transfers, progress.Add);
        progress.Remove(transfers[0], 1000);
        transfers[1].SetBytes(500);

        _clock.Advance(TimeSpan.FromMilliseconds(300));

        await Assert.That(Drawn()).IsEqualTo("1/2000 objects, 1.5 kB\e[K\n  n1  500 B/1.0 kB  50%  cache-a:8443\e[K\n  n2  0 B/1.0 kB  0%  cache-a:8443\e[K");
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        await Assert.That(Drawn()).StartsWith("\r\e[2A1/2000 objects");
    }

    [Test]
    public async Task No_line_is_as_wide_as_the_terminal_and_names_cannot_command_it()
    {
        using ConsoleProgress progress = Start(1, columns: 20);
        progress.Add(Transfer("\e]0;evil\a" + new string('x', 100), 1000));

        _clock.Advance(TimeSpan.FromMilliseconds(300));

        await Assert.That(Drawn()).IsEqualTo("\\x1b]0;…  0 B/1.0 …\e[K");
    }

    [Test]
    public async Task A_message_replaces_the_display_and_nothing_is_left_at_the_end()
    {
        using (ConsoleProgress progress = Start(3))
        {
            progress.Add(Transfer("a", 5));
            _clock.Advance(TimeSpan.FromMilliseconds(300));
            Drawn();
            _messages.Line("Error: no");
            await Assert.That(Drawn()).IsEqualTo("\r\e[1A\e[JError: no\n");
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            Drawn();
        }

        await Assert.That(Drawn()).IsEqualTo("\r\e[1A\e[J");
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Assert.That(Drawn()).IsEqualTo("");
    }

    private static TransferProgress Transfer(string name, long total)
    {
        TransferProgress transfer = new() { Name = name };
        transfer.SetTotal(total);
        transfer.SetServer("cache-a:8443");
        return transfer;
    }

    private ConsoleProgress Start(long objects, int columns = 100, int rows = 24) =>
        new(_messages, () => (columns, rows), _clock, objects);

    private string Drawn()
    {
        string drawn = Encoding.UTF8.GetString(_screen.ToArray());
        _screen.SetLength(0);
        return drawn;
    }
}
