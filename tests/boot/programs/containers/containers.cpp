/* What programs use of C++'s library, printed: the host's own C++ library is to print the same. */
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

struct Shape {
    virtual ~Shape() { std::printf("gone: %s\n", name.c_str()); }
    virtual double area() const = 0;
    explicit Shape(std::string name) : name(std::move(name)) {}
    std::string name;
};

struct Rectangle : Shape {
    Rectangle(double width, double height) : Shape("rectangle"), sides{width, height} {}
    double area() const override { return sides[0] * sides[1]; }
    std::array<double, 2> sides;
};

struct Circle : Shape {
    explicit Circle(double radius) : Shape("circle"), radius(radius) {}
    double area() const override { return 3.25 * radius * radius; }
    double radius;
};

/* The same numbers on every machine. */
unsigned next_number(unsigned &state) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

std::vector<std::string> words(unsigned count) {
    std::vector<std::string> made;
    unsigned state = 1;
    for (unsigned i = 0; i < count; i++) {
        std::string word;
        for (unsigned length = 1 + next_number(state) % 30; length > 0; length--)
            word += static_cast<char>('a' + next_number(state) % 26);
        made.push_back(std::move(word));
    }
    return made;
}

void print_sorted() {
    std::vector<std::string> all = words(300);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::stable_sort(all.begin(), all.end(), [](const std::string &a, const std::string &b) {
        return a.size() < b.size();
    });
    std::string joined = std::accumulate(all.begin(), all.end(), std::string());
    std::printf("%zu words, %zu letters\n", all.size(), joined.size());
    for (size_t i = 0; i < all.size(); i += 25)
        std::printf("%s\n", all[i].c_str());

    std::vector<double> numbers;
    unsigned state = 7;
    for (int i = 0; i < 500; i++)
        numbers.push_back(next_number(state) / 1024.0);
    std::sort(numbers.begin(), numbers.end());
    std::printf("%.3f %.3f %.3f\n", numbers.front(), numbers[250], numbers.back());
    std::vector<int> integers(1000);
    for (int &number : integers)
        number = static_cast<int>(next_number(state) % 1000) - 500;
    std::sort(integers.begin(), integers.end(), std::greater<int>());
    std::nth_element(integers.begin(), integers.begin() + 10, integers.end());
    std::printf("%d\n", integers[10]);
}

void print_counts() {
    std::unordered_map<char, unsigned> counts;
    std::map<std::string, std::set<size_t>> lengths;
    for (const std::string &word : words(200)) {
        for (char letter : word)
            counts[letter]++;
        lengths[word.substr(0, 1)].insert(word.size());
    }
    std::vector<std::pair<char, unsigned>> ordered(counts.begin(), counts.end());
    std::sort(ordered.begin(), ordered.end());
    for (const auto &[letter, count] : ordered)
        std::printf("%c%u ", letter, count);
    std::printf("\n");
    for (const auto &[first, sizes] : lengths)
        std::printf("%s:%zu-%zu ", first.c_str(), *sizes.begin(), *sizes.rbegin());
    std::printf("\n");
}

void print_owners() {
    std::vector<std::unique_ptr<Shape>> shapes;
    shapes.push_back(std::make_unique<Rectangle>(2, 3.5));
    shapes.push_back(std::make_unique<Circle>(2));
    for (const auto &shape : shapes)
        std::printf("%s %.2f\n", shape->name.c_str(), shape->area());
    auto shared = std::make_shared<std::deque<int>>(5, 3);
    std::weak_ptr<std::deque<int>> weak = shared;
    auto other = shared;
    other->push_front(1);
    std::printf("%ld owners of %zu\n", weak.use_count(), weak.lock()->size());
    while (!shapes.empty())
        shapes.pop_back();
    shared.reset();
    other.reset();
    std::printf("%s\n", weak.expired() ? "none left" : "some left");
}

std::optional<int> number_in(std::string_view text) {
    size_t at = text.find_first_of("0123456789");
    if (at == std::string_view::npos)
        return std::nullopt;
    return std::stoi(std::string(text.substr(at)));
}

void print_text() {
    std::string text = "The " + std::to_string(3) + " of " + std::to_string(-2.5) + ", " +
                       std::to_string(18446744073709551615ull);
    text.insert(4, "first ").replace(0, 3, "Those").append(3, '!');
    std::printf("%s %zu %zu\n", text.c_str(), text.find("of"), text.rfind('!'));
    std::printf("%d %d %.4f %lld\n", number_in("abc 42x").value_or(-1),
                number_in("none").value_or(-1), std::stod("1e-2"),
                std::stoll("-7ffffff", nullptr, 16));
    std::function<int(int)> twice = [factor = 2](int number) { return factor * number; };
    std::printf("%d %d\n", twice(21), std::string("abc").compare("abz") < 0);
}

void print_complex() {
    volatile double real = 3, imaginary = 4;
    std::complex<double> number(real, imaginary);
    number = number * std::complex<double>(1, -2) / 2.0;
    std::printf("%g %g %g %.10f\n", number.real(), number.imag(), std::abs(number),
                std::arg(number));
}

/* That an argument is a constant changes no bit; library.c has more of it. */
void compare_constants() {
#if !defined __linux__ && !defined MADE_ELSEWHERE /* there with another library */
    volatile double sine = 0.259, logarithm = 0.691, base = 0.787, exponent = 1.3;
    if (std::sin(0.259) != std::sin(sine) || std::log(0.691) != std::log(logarithm) ||
        std::pow(0.787, 1.3) != std::pow(base, exponent))
        std::puts("sin, log or pow of constants");
#endif
}

} // namespace

int main(int argc, char **) {
    print_sorted();
    print_counts();
    print_owners();
    print_text();
    print_complex();
    compare_constants();
    std::fflush(stdout);
    std::vector<int> few(3);
    return argc > 1 ? few.at(static_cast<size_t>(argc) + 7) : 0;
}
